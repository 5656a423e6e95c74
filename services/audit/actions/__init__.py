"""What the ledger can do: take leaves, seal, show a trail, hand out a proof, verify itself."""

from services.audit.actions.leaves import add_leaves
from services.audit.actions.proofs import export_proof, prove_consistency
from services.audit.actions.publishing import last_checkpoint, list_checkpoints, read_entries, read_tile
from services.audit.actions.sealing import MOST_LEAVES, seal
from services.audit.actions.signing import Signer, is_signed_by
from services.audit.actions.trails import find_cases, read_trail
from services.audit.actions.verification import describe_ledger, verify_ledger

__all__ = [
    "MOST_LEAVES",
    "Signer",
    "add_leaves",
    "describe_ledger",
    "export_proof",
    "find_cases",
    "is_signed_by",
    "last_checkpoint",
    "list_checkpoints",
    "prove_consistency",
    "read_entries",
    "read_tile",
    "read_trail",
    "seal",
    "verify_ledger",
]
