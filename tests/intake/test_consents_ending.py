"""The end of a consent reaches who had been shown the person, and shows it to nobody else."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest

from services.intake import clock as clocks
from services.intake.store.vault import Vault
from shared.contracts.codes import NeedCode
from shared.contracts.fact import Fact
from shared.contracts.referral.recipients import WithdrawalConfirmed, WithdrawalOverdue
from shared.kit.clock import FixedClock
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.consenting import CSO, HELP, IN_YEARS, PARENT, a_consent, held, named, seen, shown_to, withdrawn
from tests.intake.correcting import a_proposal, confirmed, corrected
from tests.intake.factories import DPO, START, a_disclosure, an_accepted, hear
from tests.intake.test_erasures import a_case, erased, told
from tests.waiting import until

Site = Callable[[str], Browser]


class TestEnding:
    async def test_a_withdrawal_stops_disclosure_and_is_told_with_who_had_been_shown(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        assignment_id = await shown_to(site, database, case_id)
        state_office = await shown_to(site, database, case_id, "DINKES-73.06")
        answer = (await withdrawn(site, consent_id)).json()

        [fact] = await told(database, case_id, "intake.consent_withdrawn.v1")
        assert fact == {
            "case_id": case_id, "withdrawal_id": answer["entry_id"], "consent_id": consent_id, **HELP, "needs": [],
            "withdrawn_by": "self", "how": "signed", "recipients": [CSO],
            "confirm_by": (START + timedelta(hours=72)).isoformat().replace("+00:00", "Z"),
        }  # fmt: skip
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 403
        [refused] = await told(database, case_id, "intake.disclosure_refused.v1")
        assert refused["reason"] == "no_consent"
        again = await a_disclosure(site("referral"), case_id, state_office, "DINKES-73.06")
        assert again.status_code == 200

    async def test_of_some_needs_leaves_the_others(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        await shown_to(site, database, case_id, "CSO-HEALTH", "SICK")
        await shown_to(site, database, case_id, "CSO-COMMUNITY", "NEED")
        answer = await withdrawn(site, consent_id, needs=["SICK"])

        assert [one["agency_id"] for one in answer.json()["recipients"]] == ["CSO-HEALTH"]
        assert (await held(site, case_id), await held(site, case_id, "NEED")) == ("withdrawn", "given")
        assert (await withdrawn(site, consent_id, needs=["SICK"])).status_code == 409
        assert (await withdrawn(site, consent_id)).status_code == 201
        assert await held(site, case_id, "NEED") == "withdrawn"
        assert (await withdrawn(site, consent_id)).status_code == 409

    @pytest.mark.parametrize("class_", ["civil_society", "state"])
    async def test_a_refusal_stops_and_is_told_too(self, site: Site, database: Database, class_: str) -> None:
        case_id = await a_case(site)
        agency_id = CSO if class_ == "civil_society" else "DINKES-73.06"
        assignment_id = await shown_to(site, database, case_id, agency_id)
        await a_consent(site, case_id, given=False, recipient_class=class_, statement="saya tidak mau")

        [fact] = await told(database, case_id, "intake.consent_recorded.v1")
        assert (fact["recipients"], fact["confirm_by"] is None) == ([agency_id], False)
        assert (await a_disclosure(site("referral"), case_id, assignment_id, agency_id)).status_code == 403

    async def test_an_end_that_came_stops_disclosure(self, site: Site, database: Database, clock: FixedClock) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, expires_at=(START + timedelta(days=1)).isoformat())
        assignment_id = await shown_to(site, database, case_id)
        clock.advance(timedelta(days=1))

        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 403

    async def test_help_for_a_child_goes_on_whatever_its_parent_says(self, site: Site, database: Database) -> None:
        case_id = await a_case(site, **IN_YEARS)
        consent_id = await a_consent(site, case_id, spoken=PARENT)
        assignment_id = await shown_to(site, database, case_id)
        answer = await withdrawn(site, consent_id, spoken=PARENT)

        assert (answer.status_code, answer.json()["recipients"]) == (201, [])
        assert await held(site, case_id) == "best_interest"
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 200

    @pytest.mark.parametrize(
        ("class_", "then", "status"), [("state", "not_asked", 200), ("civil_society", "withdrawn", 403)]
    )
    async def test_what_a_parent_had_said_of_who_is_of_age_after_all_stops_no_office_until_the_person_is_asked(
        self, site: Site, database: Database, class_: str, then: str, status: int
    ) -> None:
        case_id = await a_case(site, **IN_YEARS)
        agency_id = CSO if class_ == "civil_society" else "DINKES-73.06"
        consent_id = await a_consent(site, case_id, spoken=PARENT, recipient_class=class_)
        assignment_id = await shown_to(site, database, case_id, agency_id)
        await withdrawn(site, consent_id, spoken=PARENT)

        await confirmed(site, await a_proposal(site, case_id), "colleague")
        shown = await a_disclosure(site("referral"), case_id, assignment_id, agency_id)
        before = await held(site, case_id, class_=class_)
        await a_consent(site, case_id, given=False, recipient_class=class_, statement="saya tidak mau")

        assert (before, shown.status_code) == (then, status)
        assert await held(site, case_id, class_=class_) == "refused"
        assert (await a_disclosure(site("referral"), case_id, assignment_id, agency_id)).status_code == 403

    async def test_the_best_interest_of_a_child_decides_nothing_for_who_is_of_age_after_all(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site, **IN_YEARS)
        assignment_id = await shown_to(site, database, case_id)
        assert (await named(site, case_id, basis="best_interest", reason="no_guardian")).status_code == 201
        before = await held(site, case_id)

        await confirmed(site, await a_proposal(site, case_id), "colleague")
        await a_consent(site, case_id, given=False, statement="saya tidak mau")

        assert (before, await held(site, case_id)) == ("basis", "refused")
        [fact] = await told(database, case_id, "intake.consent_recorded.v1")
        assert fact["recipients"] == [CSO]
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 403

    async def test_the_police_need_a_word_for_prosecution_too(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        assignment_id = await shown_to(site, database, case_id, "POLDA-73")
        await a_consent(site, case_id, given=False, purpose="prosecution", recipient_class="police")

        assert (await a_disclosure(site("referral"), case_id, assignment_id, "POLDA-73")).status_code == 403

    async def test_a_law_that_decides_goes_before_the_word_until_it_is_ended(
        self, site: Site, database: Database
    ) -> None:
        case_id = await a_case(site)
        assignment_id = await shown_to(site, database, case_id)
        basis_id = (await named(site, case_id)).json()["entry_id"]
        await a_consent(site, case_id, given=False)
        [fact] = await told(database, case_id, "intake.lawful_basis_named.v1")

        assert fact == {
            "case_id": case_id, **HELP, "needs": [], "basis_id": basis_id, "basis": "vital_interest",
            "reason": "danger_to_life",
        }  # fmt: skip
        assert (await told(database, case_id, "intake.consent_recorded.v1"))[0]["recipients"] == []
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 200
        path = f"/api/bases/{basis_id}/end"
        ended = [await site("dpo").post(path, json={"reason": "no_longer_needed"}) for _ in range(2)]
        assert [one.status_code for one in ended] == [201, 409]
        assert len(await told(database, case_id, "intake.lawful_basis_ended.v1")) == 1
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 403

    @pytest.mark.parametrize(
        "said", [{"basis": "best_interest", "reason": "no_guardian"}, {"basis": "public_task", "reason": "no_guardian"}]
    )
    async def test_a_basis_has_its_own_reasons_and_the_best_interest_is_a_childs(
        self, site: Site, said: dict[str, str]
    ) -> None:
        assert (await named(site, await a_case(site), **said)).status_code == 422

    async def test_what_was_refused_is_not_taken_back(self, site: Site) -> None:
        case_id = await a_case(site)
        basis_id = (await named(site, case_id)).json()["entry_id"]

        assert (await withdrawn(site, await a_consent(site, case_id, given=False))).status_code == 409
        assert (await withdrawn(site, basis_id)).status_code == 404


async def expire(database: Database, vault: Vault) -> None:
    expiring = clocks.Expiring(database, vault)
    while await expiring():
        pass


@pytest.mark.invariant("I154")
class TestExpiry:
    async def test_is_told_once_and_whoever_had_been_shown_ends_it(
        self, site: Site, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        await shown_to(site, database, case_id)
        consent_id = await a_consent(site, case_id, expires_at=(START + timedelta(days=1)).isoformat())
        await expire(database, vault)
        assert await told(database, case_id, "intake.consent_expired.v1") == []
        clock.advance(timedelta(days=1))

        for _ in range(2):
            await expire(database, vault)

        [fact] = await told(database, case_id, "intake.consent_expired.v1")
        assert (fact["consent_id"], fact["needs"], fact["recipients"]) == (consent_id, [], [CSO])
        assert fact["confirm_by"].startswith((clock.now() + timedelta(hours=72)).date().isoformat())
        history = (await seen(site, case_id))["history"]
        assert [(one["kind"], one["ends"], one["recorded_by"]) for one in history][1:] == [
            ("expired", consent_id, "intake.clock")
        ]
        assert await held(site, case_id) == "expired"
        assert (await withdrawn(site, consent_id)).status_code == 409

    async def test_takes_nothing_of_a_word_that_was_said_since(
        self, site: Site, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        soon = (START + timedelta(days=1)).isoformat()
        await a_consent(site, case_id, expires_at=soon)
        await a_consent(site, case_id, needs=["SICK"])
        other = await a_case(site)
        await a_consent(site, other, expires_at=soon)
        await a_consent(site, other)
        clock.advance(timedelta(days=2))

        await expire(database, vault)

        [fact] = await told(database, case_id, "intake.consent_expired.v1")
        assert set(fact["needs"]) == set(get_args(NeedCode)) - {"SICK"}
        assert (await held(site, case_id), await held(site, case_id, "NEED")) == ("given", "expired")
        assert await told(database, other, "intake.consent_expired.v1") == []

    async def test_stops_no_help_for_a_child_and_nothing_that_a_law_allows(
        self, site: Site, database: Database, vault: Vault, clock: FixedClock
    ) -> None:
        soon = (START + timedelta(hours=1)).isoformat()
        child, adult = await a_case(site, **IN_YEARS), await a_case(site)
        await a_consent(site, child, spoken=PARENT, expires_at=soon)
        await a_consent(site, adult, expires_at=soon)
        await named(site, adult)
        for case_id in (child, adult):
            await shown_to(site, database, case_id)
        clock.advance(timedelta(hours=1))

        await expire(database, vault)

        for case_id in (child, adult):
            [fact] = await told(database, case_id, "intake.consent_expired.v1")
            assert fact["recipients"] == []

    async def test_is_on_the_ports_list_before_and_only_while_it_still_counts(
        self, site: Site, clock: FixedClock
    ) -> None:
        case_id = await a_case(site)
        later = await a_consent(site, case_id, needs=["SICK"], expires_at=(START + timedelta(days=12)).isoformat())
        first = await a_consent(site, case_id, needs=["NEED"], expires_at=(START + timedelta(days=3)).isoformat())
        await a_consent(site, case_id, recipient_class="state", expires_at=(START + timedelta(days=30)).isoformat())

        async def ending(actor: str = "officer") -> list[str]:
            answer = await site(actor).get("/api/consents/ending")
            assert answer.status_code == 200, answer.text
            return [one["consent_id"] for one in answer.json()["items"]]

        assert await ending() == [first, later]
        assert await ending("stranger") == []
        page = await site("officer").get("/id/persetujuan-berakhir")
        assert f"/id/data-pribadi/{case_id}/persetujuan" in page.text
        await a_consent(site, case_id, needs=["NEED"])
        assert await ending() == [later]
        clock.advance(timedelta(days=12))
        assert await ending() == []

    @pytest.mark.parametrize("how", ["death", "error", "erasure"])
    async def test_is_not_on_it_of_who_is_not_to_be_asked_any_more(self, site: Site, how: str) -> None:
        case_id = await a_case(site)
        await a_consent(site, case_id, expires_at=(START + timedelta(days=5)).isoformat())
        before = (await site("officer").get("/api/consents/ending")).json()["items"]

        if how == "erasure":
            await erased(site, case_id)
        elif how == "death":
            await corrected(site, case_id, how, died_on=START.date().isoformat(), place="in_care")
        else:
            await corrected(site, case_id, how, reason="test_entry")

        assert [one["case_id"] for one in before] == [case_id]
        assert (await site("officer").get("/api/consents/ending")).json()["items"] == []


class TestConfirmations:
    async def test_show_who_has_ended_it_and_who_has_not_in_time(self, site: Site, database: Database) -> None:
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        for agency_id in ("CSO-HEALTH", "CSO-TB", "CSO-LEGAL"):
            await shown_to(site, database, case_id, agency_id)
        entry_id = (await withdrawn(site, consent_id)).json()["entry_id"]

        def said(fact: type[Fact], agency_id: str, **more: Any) -> Any:
            return fact(case_id=case_id, withdrawal_id=entry_id, agency_id=agency_id, **more)

        await hear(
            database,
            said(WithdrawalConfirmed, "CSO-HEALTH"),
            said(WithdrawalOverdue, "CSO-TB", confirm_by=START),
            said(WithdrawalConfirmed, "CSO-STRANGER"),
        )

        told_to = (await seen(site, case_id))["history"][-1]["recipients"]
        assert [(one["agency_id"], one["state"]) for one in told_to] == [
            ("CSO-HEALTH", "confirmed"), ("CSO-LEGAL", "waiting"), ("CSO-TB", "overdue"),
        ]  # fmt: skip


class TestRaces:
    @pytest.mark.parametrize("first", ["disclosure", "withdrawal"])
    async def test_who_is_shown_the_person_before_a_withdrawal_is_told_and_nobody_after_it(
        self, site: Site, database: Database, first: str
    ) -> None:
        """Both wait for the case in real transactions; whoever begins it first is done before the other sees it."""
        case_id = await a_case(site)
        consent_id = await a_consent(site, case_id)
        assignment_id = await an_accepted(database, case_id, agency=CSO)
        acts: dict[str, Callable[[], Any]] = {
            "disclosure": lambda: a_disclosure(site("referral"), case_id, assignment_id, CSO),
            "withdrawal": lambda: withdrawn(site, consent_id),
        }
        begun: dict[str, asyncio.Task[Any]] = {}
        async with database.work(DPO, purpose="protect") as holder:
            await holder.lock_cases([case_id])
            for n, name in enumerate(sorted(acts, key=lambda name: name != first), start=1):
                begun[name] = asyncio.create_task(acts[name]())
                await until(lambda n=n: _are_waiting(database, n))
        shown, taken_back = await begun["disclosure"], await begun["withdrawal"]

        assert taken_back.status_code == 201
        assert shown.status_code == (200 if first == "disclosure" else 403)
        [fact] = await told(database, case_id, "intake.consent_withdrawn.v1")
        assert fact["recipients"] == ([CSO] if first == "disclosure" else [])
        assert (await a_disclosure(site("referral"), case_id, assignment_id, CSO)).status_code == 403


async def _are_waiting(database: Database, n: int) -> bool:
    waiting = await database.pool.fetchval(
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()"
        " WHERE l.locktype = 'advisory' AND NOT l.granted"
    )
    return int(waiting) == n
