"""Start the provider: HOST, PORT, ISSUER and PROVIDER_SECRET from the environment."""

import os
import sys

import uvicorn

from deploy.local.identity_provider.app import LOOPBACK, Provider

SECRET_LENGTH_MIN = 16


def main() -> None:
    """Serve until told to end; exit 78 with one line when it would be unsafe."""
    host, port = os.environ.get("HOST", "127.0.0.1"), os.environ.get("PORT", "8100")
    secret = os.environ.get("PROVIDER_SECRET", "")
    if os.environ.get("ENVIRONMENT") == "production":
        refuse("ENVIRONMENT=production: this provider lets anybody in; configure a real one with OIDC_ISSUER")
    if host not in LOOPBACK:
        refuse(f"HOST={host}: this provider lets anybody in, so it listens on a loopback address only")
    if len(secret) < SECRET_LENGTH_MIN:
        refuse(f"PROVIDER_SECRET is missing or short: give {SECRET_LENGTH_MIN} random characters or more")
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        refuse("PORT is not a port number")
    provider = Provider(issuer=os.environ.get("ISSUER") or f"http://{host}:{port}", secret=secret)
    # No access log: its addresses would hold codes.
    uvicorn.run(provider.app(), host=host, port=int(port), access_log=False, log_level="warning")


def refuse(why: str) -> None:
    print(f"identity provider: {why}", file=sys.stderr)
    raise SystemExit(78)


if __name__ == "__main__":
    main()
