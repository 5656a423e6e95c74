"""Who acts: people by OpenID Connect and a session in our database, systems by signed access tokens.

Edges use `actor_of`, `require`, `require_recent`, `optional_actor`, `csrf_token` and `deny`; a service's gateways
`ServiceToken`; `install` adds the pages of signing in and out.
"""

from shared.kit.identity.gate import (
    Identity,
    actor_of,
    check_recent,
    csrf_token,
    deny,
    note_denied,
    optional_actor,
    record_denied,
    require,
    require_recent,
)
from shared.kit.identity.installation import install
from shared.kit.identity.refusals import (
    BadToken,
    Denied,
    ForgedRequest,
    NotSignedIn,
    ProviderAway,
    RevocationsUnknown,
    Revoked,
    SignInFailed,
    SignInNotRecent,
)
from shared.kit.identity.revoking import REVOKERS
from shared.kit.identity.service_token import ServiceToken
from shared.kit.identity.tokens import TokenVerifier
from shared.kit.identity.trail import person_stream

__all__ = [
    "REVOKERS",
    "BadToken",
    "Denied",
    "ForgedRequest",
    "Identity",
    "NotSignedIn",
    "ProviderAway",
    "RevocationsUnknown",
    "Revoked",
    "ServiceToken",
    "SignInFailed",
    "SignInNotRecent",
    "TokenVerifier",
    "actor_of",
    "check_recent",
    "csrf_token",
    "deny",
    "install",
    "note_denied",
    "optional_actor",
    "person_stream",
    "record_denied",
    "require",
    "require_recent",
]
