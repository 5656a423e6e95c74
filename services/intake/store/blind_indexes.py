"""Blind indexes: keyed digests by which a person is found again by the exact number of a paper.

They are written with the arrival (`arrivals.ADD`) and end with the person's key.
"""

from services.intake.domain.lookups import Kind
from services.intake.store.vault import Vault
from shared.kit.work import Work

MOST_FOUND = 100


async def find_persons_by(work: Work, vault: Vault, kind: Kind, value: str) -> list[str]:
    """The ids of the persons who came with this number, in the order of their landing; nobody for an empty one.

    # unscoped: a person is looked for wherever they landed; who may do so is for policy to say.
    """
    digest = vault.blind_index(kind, value)
    if digest is None:
        return []
    rows = await work.connection.fetch(
        "SELECT person_id FROM blind_indexes WHERE digest = $1 AND kind = $2 ORDER BY person_id LIMIT $3",
        digest,
        kind,
        MOST_FOUND,
    )
    return [str(row["person_id"]) for row in rows]
