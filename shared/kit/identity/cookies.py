"""The cookies of a service. Services may share a host name, so each one's name is in its cookies'."""

from datetime import timedelta

from starlette.responses import Response


class Cookies:
    """Names and attributes. With https the `__Host-` prefix binds a cookie to exactly this host."""

    def __init__(self, service: str, *, https: bool) -> None:
        self._https = https
        self.session = f"{'__Host-' if https else ''}rujukan-{service}"
        self.attempt = f"{self.session}-masuk"
        """A log-in that has begun in this browser."""
        self.left = f"{self.session}-keluar"
        """Somebody signed out here: the next one must show who they are, even if the provider remembers them."""

    def put(self, response: Response, name: str, value: str, lifetime: timedelta | None = None) -> None:
        """Set a cookie for `lifetime`, or until the browser is closed."""
        response.set_cookie(
            name,
            value,
            max_age=None if lifetime is None else int(lifetime.total_seconds()),
            path="/",
            secure=self._https,
            httponly=True,
            samesite="lax",
        )

    def drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._https, httponly=True, samesite="lax")
