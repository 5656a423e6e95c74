"""Consent is recorded by the port or the officer for data, counts at once, and is erased with the person."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from shared.kit.clock import FixedClock
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.consenting import ADULT, HELP, IN_YEARS, PARENT, a_consent, held, named, recorded, seen, withdrawn
from tests.intake.correcting import corrected
from tests.intake.factories import START
from tests.intake.test_erasures import a_case, erased, told

Site = Callable[[str], Browser]


class TestRecording:
    async def test_counts_at_once_and_is_told_in_codes(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        ends = START + timedelta(days=90)
        consent_id = await a_consent(site, case_id, needs=["SICK"], expires_at=ends.isoformat())

        assert (await held(site, case_id), await held(site, case_id, "NEED")) == ("given", "not_asked")
        [fact] = await told(database, case_id, "intake.consent_recorded.v1")
        assert fact == {
            "case_id": case_id, "consent_id": consent_id, **HELP, "needs": ["SICK"], "given": True, "given_by": "self",
            "how": "signed", "language": "id", "expires_at": ends.isoformat().replace("+00:00", "Z"),
            "statement": None, "recipients": [], "confirm_by": None,
        }  # fmt: skip

    async def test_ends_by_itself(self, site: Site, clock: FixedClock) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, expires_at=(START + timedelta(days=1)).isoformat())
        clock.advance(timedelta(days=1))

        assert await held(site, case_id) == "expired"

    async def test_keeps_names_and_words_sealed_and_nowhere_else(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, **IN_YEARS)
        said = {"given": False, "statement": "Kami pulang bersama Anggrek", "purpose": "prosecution"}
        spoken = {**PARENT, "how": "spoken_before_witness", "witness": "Cempaka Biru"}
        consent_id = await a_consent(site, case_id, spoken=spoken, **said)

        tables = ("consents", "answers", "journal", "outbox")
        kept = "".join(
            [str(dict(row)) for table in tables for row in await database.pool.fetch(f"SELECT * FROM {table}")]
        )
        assert not [name for name in ("Melati", "Cempaka", "Anggrek") if name in kept]
        assert await database.pool.fetchval("SELECT octet_length(request_digest) FROM answers") == 16
        assert await database.pool.fetchval("SELECT octet_length(sealed) FROM consents") > 28
        [fact] = await told(database, case_id, "intake.consent_recorded.v1")
        assert (fact["given"], fact["statement"]) == (False, consent_id)

    @pytest.mark.parametrize(
        ("person", "said", "refusal"),
        [
            ({}, {"spoken": PARENT}, "speaker_unfit"),
            (IN_YEARS, {"spoken": ADULT}, "speaker_unfit"),
            ({"age": None}, {"spoken": ADULT}, "speaker_unfit"),
            (IN_YEARS, {"spoken": {**PARENT, "speaker": " "}}, "speaker_unnamed"),
            ({}, {"spoken": {**ADULT, "how": "spoken_before_witness"}}, "speaker_unnamed"),
            ({}, {"needs": ["WAGE"]}, "needs_not_of_case"),
            ({}, {"expires_at": START.isoformat()}, "consent_expires_badly"),
            ({}, {"expires_at": (START + timedelta(days=6 * 365)).isoformat()}, "consent_expires_badly"),
            ({"needs": ["REMAINS"]}, {}, "nobody_to_consent"),
            ({}, {"statement": "tidak"}, "invalid"),
            ({}, {"given": False, "expires_at": (START + timedelta(days=1)).isoformat()}, "invalid"),
        ],
        ids=["parent of an adult", "child", "unknown age", "no name", "no witness", "other need", "past", "too far",
             "dead", "statement of a yes", "end of a no"],
    )  # fmt: skip
    async def test_takes_who_may_speak_for_what_there_is(
        self, site: Site, database: Database, person: dict[str, Any], said: dict[str, Any], refusal: str
    ) -> None:
        answer = await recorded(site, await a_case(site, **person), **said)

        assert answer.json()["type"].rsplit("/", 1)[-1].rsplit(":", 1)[-1] == refusal, answer.text
        assert await database.pool.fetchval("SELECT count(*) FROM consents") == 0

    async def test_of_an_arrival_that_was_none_is_refused_and_what_was_given_is_taken_back(self, site: Site) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        await corrected(site, case_id, "error", reason="test_entry")

        for answer in (await recorded(site, case_id), await named(site, case_id)):
            assert (answer.status_code, answer.json()["code"]) == (409, "arrival_in_error")
        assert (await withdrawn(site, consent_id)).status_code == 201

    async def test_is_for_the_port_of_landing_and_the_officer_for_data(self, site: Site) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)

        assert (await recorded(site, case_id, "dpo")).status_code == 201
        for actor in ("system", "worker", "referral", "notify"):
            assert (await recorded(site, case_id, actor)).status_code == 403
            assert (await site(actor).get(f"/api/cases/{case_id}/consents")).status_code == 403
        for path, id_, body in (
            ("cases/{}/consents", case_id, {**HELP, "given": True, "spoken": ADULT}),
            ("cases/{}/bases", case_id, {**HELP, "basis": "public_task", "reason": "task_by_law"}),
            ("consents/{}/withdrawal", consent_id, {"spoken": ADULT}),
            ("bases/{}/end", consent_id, {"reason": "named_in_error"}),
        ):
            foreign, missing = [
                await site("stranger").post(f"/api/{path.format(one)}", json=body) for one in (id_, new_id())
            ]
            assert (foreign.status_code, foreign.json()["detail"]) == (404, missing.json()["detail"])

    async def test_takes_the_version_that_was_looked_at_and_says_who_was_first(self, site: Site) -> None:
        case_id = await a_case(site)
        first = await recorded(site, case_id, version=0)
        second = await recorded(site, case_id, "dpo", version=0, given=False)

        assert (first.status_code, second.status_code) == (201, 409)
        detail = second.json()["detail"]
        assert [part for part in ("rina", "versi 0", "sekarang 1") if part not in detail] == []
        assert len((await seen(site, case_id))["history"]) == 1

    async def test_is_repeated_by_its_key(self, site: Site, database: Database) -> None:
        case_id, key = await a_case(site), new_id()
        body = {**HELP, "given": True, "spoken": ADULT, "version": 0}
        answers = [await site("officer").post(f"/api/cases/{case_id}/consents", key=key, json=body) for _ in range(2)]
        other = await site("officer").post(f"/api/cases/{case_id}/consents", key=key, json={**body, "given": False})

        assert answers[0].json() == answers[1].json()
        assert other.status_code == 422
        assert await database.pool.fetchval("SELECT count(*) FROM consents") == 1

    async def test_of_two_at_once_one_comes_first(self, site: Site) -> None:
        case_id = await a_case(site)
        answers = await asyncio.gather(*(recorded(site, case_id, version=0, given=yes) for yes in (True, False)))

        assert sorted(answer.status_code for answer in answers) == [201, 409]

    async def test_is_looked_at_on_the_trail(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await seen(site, case_id)

        assert len(await told(database, case_id, "intake.person_record_read.v1")) == 1

    async def test_cannot_be_changed_or_deleted(self, site: Site, database: Database) -> None:
        await a_consent(site, await a_case(site))

        for statement in ("UPDATE consents SET kind = 'refused'", "DELETE FROM consents"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await database.pool.execute(statement)


class TestErasure:
    async def test_takes_names_and_words_and_leaves_codes(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, given=False, statement="saya tidak mau")
        await erased(site, case_id)

        assert await database.pool.fetchval("SELECT sealed FROM consents") == b""
        [entry] = (await seen(site, case_id, "dpo"))["history"]
        assert (entry["kind"], entry["has_words"]) == ("refused", False)
        assert (await recorded(site, case_id)).status_code == 410
