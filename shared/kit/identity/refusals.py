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

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            detail or msg("Get a new token for this service from the identity provider and try again."),
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class SignInNotRecent(Refusal):
    """What is asked for takes a person who has just shown who they are. A page sends them to do that and come back."""

    status = 401
    code = "sign_in_not_recent"
    title = msg("Show again that it is you")

    def __init__(self, minutes: int) -> None:
        super().__init__(
            msg("This takes a sign-in of the last few minutes. Sign in again, then repeat what you did."),
            headers={"WWW-Authenticate": f'Bearer error="insufficient_user_authentication", max_age="{minutes * 60}"'},
        )
        self.minutes = minutes


class Revoked(Refusal):
    """The session or token was good, and was taken away from its holder since."""

    status = 401
    code = "access_revoked"
    title = msg("Your access was ended")

    def __init__(self) -> None:
        super().__init__(
            msg("Sign in again. If that is refused, ask your supervisor."),
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class Barred(Refusal):
    """Somebody signs in from whom access has been taken away until it is given back."""

    status = 403
    code = "access_barred"
    title = msg("Your access was taken away")

    def __init__(self) -> None:
        super().__init__(msg("It can be given back by an operator. Ask your supervisor."))


class RevocationsUnknown(Refusal):
    """It cannot be told at the moment whose access was taken away, so nobody's is assumed to be good."""

    status = 503
    code = "revocations_unknown"
    title = msg("The service is busy or being restarted")

    def __init__(self) -> None:
        super().__init__(msg("Nothing is lost. Please try again in a few seconds."), headers={"Retry-After": "2"})


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


class SignInTooWeak(Refusal):
    """The person signed in at the identity provider with less than this service asks of them: one factor, say."""

    status = 403
    code = "sign_in_too_weak"
    title = msg("This takes a stronger sign-in")

    def __init__(self, asked: str) -> None:
        super().__init__(
            msg(
                "You signed in, but with less than your role takes here. Set up a second factor at the identity"
                " provider, then sign in again. If that does not help, ask your supervisor."
            )
        )
        self.asked = asked


class ProviderAway(Refusal):
    """The identity provider does not answer, or answers nonsense."""

    status = 503
    code = "identity_provider_away"
    title = msg("Signing in is not possible at the moment")

    def __init__(self) -> None:
        super().__init__(
            msg("The identity provider does not answer. Please try again in a moment."), headers={"Retry-After": "5"}
        )
