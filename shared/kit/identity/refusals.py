"""Why somebody may not come in, or may come in and not do this."""

from shared.kit.refusal import Refusal
from shared.kit.words import msg


class NotSignedIn(Refusal):
    """Nobody is signed in, or the session has ended. A page sends the person to sign in instead."""

    status = 401
    code = "not_signed_in"
    title = msg("Please sign in")

    def __init__(self) -> None:
        super().__init__("", headers={"WWW-Authenticate": "Bearer"})


class BadToken(Refusal):
    """The Bearer token is not one of ours, not for this service, or no longer valid."""

    status = 401
    code = "bad_token"
    title = msg("The access token was refused")

    def __init__(self, detail: str = "", *, expired: bool = False) -> None:
        super().__init__(
            detail or msg("Get a new token for this service from the identity provider and try again."),
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
        self.expired = expired


class Denied(Refusal):
    """The actor is known and may not do this."""

    status = 403
    code = "denied"
    title = msg("You may not do this")

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or msg("Your role does not allow it. If it should, ask your supervisor."))


class ForgedRequest(Refusal):
    """A change was asked for with a session's cookie, but not from a page of ours."""

    status = 403
    code = "csrf"
    title = msg("This request did not come from one of our pages")

    def __init__(self) -> None:
        super().__init__(msg("Open the page again and repeat what you did. Nothing was changed."))


class SignInFailed(Refusal):
    """The identity provider's answer does not belong to a log-in that began in this browser, or says no."""

    status = 400
    code = "sign_in_failed"
    title = msg("Signing in did not work")

    def __init__(self) -> None:
        super().__init__(msg("The attempt was interrupted or took too long. Please sign in again."))


class ProviderAway(Refusal):
    """The identity provider does not answer, or answers nonsense."""

    status = 503
    code = "identity_provider_away"
    title = msg("Signing in is not possible at the moment")

    def __init__(self) -> None:
        super().__init__(
            msg("The identity provider does not answer. Please try again in a moment."), headers={"Retry-After": "5"}
        )
