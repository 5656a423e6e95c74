"""An OpenID provider for development: one log-in per role without a password, and a secret for every client.

It vouches for anybody who asks, so it refuses to run in production or on an address others can reach.
`python -m deploy.local.identity_provider` starts it.
"""

from deploy.local.identity_provider.people import ACR, client_secret

__all__ = ["ACR", "client_secret"]
