"""LEDGER_KEY is changed while the ledger grows: nobody who verifies is left without a key that still counts."""

import json
from pathlib import Path

import pytest

from services.audit import actions, store
from services.audit.settings import Settings
from shared.kit.actor import system
from shared.kit.database import Database
from shared.verifier import rujukan_verify
from tests.audit.ledger import ORIGIN, Ledger

OLD, NEW = actions.Signer(ORIGIN, b"k" * 32), actions.Signer(ORIGIN, b"n" * 32)
BOTH = actions.Signer(ORIGIN, b"n" * 32, [b"k" * 32])
"""What audit signs with while verifiers change over."""


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the verifier says: nothing, or what is wrong."""
    rujukan_verify.main([*arguments, "--json"])
    return str(json.loads(capsys.readouterr().out).get("problem", ""))


class TestSigner:
    def test_signs_once_for_each_key_and_names_it(self) -> None:
        note = BOTH.sign(f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n")

        assert BOTH.verifier_key == NEW.verifier_key
        assert BOTH.verifier_keys == [NEW.verifier_key, OLD.verifier_key]
        assert [actions.is_signed_by(note, key) for key in BOTH.verifier_keys] == [True, True]
        assert not actions.is_signed_by(note, actions.Signer(ORIGIN, b"t" * 32).verifier_key)


class TestChange:
    async def test_lets_everybody_verify_before_during_and_after(
        self, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ledger = Ledger(database, OLD)
        bundle, kept = tmp_path / "bundle.json", tmp_path / "kept"
        said: dict[str, list[str]] = {}
        for when, signer in (("before", OLD), ("during", BOTH), ("after", NEW)):
            ledger.signer = signer
            await ledger.hear({"case_seq": len(said) + 1})
            await ledger.seal()
            bundle.write_text(json.dumps(await ledger.proof()))
            said[when] = [verified(capsys, str(bundle), "--key", key.verifier_key) for key in (OLD, NEW)]

        other = "the bundle was made with another key than the one you trust"
        assert said == {"before": ["", other], "during": ["", ""], "after": [other, ""]}
        async with database.work(system("audit", "test"), purpose="test") as work:
            [last, *_] = await store.list_last_checkpoints(work, 1)
            first = (await store.list_checkpoints(work, after=-1, upto=1))[0]
            proof = await actions.prove_consistency(work, first.size, last.size)
        kept.write_text(first.note)
        (tmp_path / "proof.json").write_text(json.dumps(proof))
        chain = [str(bundle), "--checkpoint", str(kept), "--consistency", str(tmp_path / "proof.json")]
        (tmp_path / "keys").write_text(f"{NEW.verifier_key}\n{OLD.verifier_key}\n")
        assert verified(capsys, *chain, "--key", str(tmp_path / "keys")) == ""
        assert "not signed with this key" in verified(capsys, *chain, "--key", NEW.verifier_key)

    async def test_leaves_the_ledger_sound_while_the_newest_checkpoint_is_of_the_old_key(
        self, database: Database
    ) -> None:
        ledger = Ledger(database, OLD)
        await ledger.hear_cases(3)
        await ledger.seal()

        async with database.work(system("audit", "test"), purpose="test") as work:
            during = await actions.describe_ledger(work, BOTH)
            stolen = await actions.describe_ledger(work, NEW)
            whole = await actions.verify_ledger(work, BOTH.verifier_keys)

        assert (during.verified, whole.problems) == (True, [])
        assert stolen.complaint == "The newest checkpoint is not signed with this ledger's key."


def test_keys_that_sign_beside_it_are_given_by_commas() -> None:
    given = {"environment": "development", "database_url": "postgresql://", "roles": "http", "ledger_origin": ORIGIN}
    key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"

    assert Settings(**given, ledger_key=key, ledger_key_old=f"{key}, {key}").old_ledger_keys == [b"k" * 32] * 2
    with pytest.raises(ValueError, match="by commas"):
        Settings(**given, ledger_key=key, ledger_key_old="short")
