"""What `make up` shows when everything runs: where to click, and as whom."""

from deploy.local.identity_provider.people import PEOPLE
from deploy.local.stack import Running

SCREENS = {
    "intake": "port officers: voyages, manifests, the short form",
    "referral": "agencies: the inbox, one case, accept or decline; coordinators",
    "notify": "NGOs: subscriptions and what was delivered",
    "audit": "auditors: the trail of a case, proof bundles, the ledger",
}


def text(running: Running) -> str:
    """Addresses and demo log-ins."""
    services = [f"  {name:<9} {running.urls[name]}   {screens}" for name, screens in SCREENS.items()]
    people = [f"  {person.sub:<14} {person.en} ({person.role})" for person in PEOPLE.values()]
    return "\n".join(
        [
            "",
            "Pages:",
            *services,
            "",
            "Demo log-ins (no password: choose one on the log-in page):",
            *people,
            "",
            f"Data, logs and secrets are in {running.data}. Ctrl-C stops everything; the next start resumes.",
        ]
    )
