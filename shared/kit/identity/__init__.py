"""Who acts: people by OpenID Connect and a session in our database, systems by signed access tokens.

Edges use `actor_of`, `require`, `optional_actor`, `csrf_token` and `deny`; a service's gateways `ServiceToken`;
`router` has the pages of signing in and out.
"""

from shared.kit.identity.gate import Identity, actor_of, csrf_token, deny, optional_actor, require
from shared.kit.identity.refusals import (
    BadToken,
    Denied,
    ForgedRequest,
    NotSignedIn,
    ProviderAway,
    SignInFailed,
)
from shared.kit.identity.service_token import ServiceToken
from shared.kit.identity.sign_in import router
from shared.kit.identity.tokens import TokenVerifier
from shared.kit.identity.trail import person_stream

__all__ = [
    "BadToken",
    "Denied",
    "ForgedRequest",
    "Identity",
    "NotSignedIn",
    "ProviderAway",
    "ServiceToken",
    "SignInFailed",
    "TokenVerifier",
    "actor_of",
    "csrf_token",
    "deny",
    "optional_actor",
    "person_stream",
    "require",
    "router",
]
