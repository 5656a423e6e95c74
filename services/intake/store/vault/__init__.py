"""The vault: identifying fields are sealed before they reach a table, one random key per person.

AES-256-GCM throughout. The person's key is wrapped by a key-encryption key with the person as context; the fields are
sealed by the person's key with case and field set as context, so that neither can be moved to another row. Destroying
the row in `person_keys` erases the person from tables and backups alike.

`sealing` seals and opens, `ring` has the key-encryption keys, `wrapped` the statements about wrapped keys.
"""

from services.intake.store.vault.ring import KEY_BYTES, Damaged, Keyring, SameMark, WrongKey
from services.intake.store.vault.sealing import Sealed, SealedPerson, Vault, plain

__all__ = ["KEY_BYTES", "Damaged", "Keyring", "SameMark", "Sealed", "SealedPerson", "Vault", "WrongKey", "plain"]
