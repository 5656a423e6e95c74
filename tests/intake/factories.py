"""Arrivals, voyages and lists that are valid unless a test says otherwise."""

import base64
from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import SecretStr

from services.intake import consumers
from services.intake.actions import arrivals as actions
from services.intake.actions.arrivals import Submitted, seal_arrival
from services.intake.actions.opening import open_file
from services.intake.actions.telling import Telling
from services.intake.actions.uploading import prepare_draft
from services.intake.actions.voyages import announce_voyage, find_voyage
from services.intake.domain.arrivals import Arrival
from services.intake.domain.people import Identity, born_on
from services.intake.domain.voyages import Voyage
from services.intake.settings import Settings
from services.intake.store.arrivals import NewArrival
from services.intake.store.vault import Keyring, Vault
from shared.contracts import codes
from shared.contracts.fact import Fact
from shared.contracts.referral.assignments import AssignmentAccepted
from shared.contracts.referral.referrals import ReferralFact
from shared.kit import journal
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox

_numbers = count(1)
"""What referral says is numbered, and counts in that order."""
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
KEK = bytes(range(32))
INDEX_KEY = bytes(range(32, 64))
OFFICER = Actor(id="rina", organisation="P4MI-NNK", roles=frozenset({"port_officer"}), port="NNK")
SYSTEM = Actor(id="port-NNK", organisation="port-NNK", roles=frozenset({"port_system"}), kind="client", port="NNK")
STRANGER = Actor(id="dedi", organisation="P4MI-ETK", roles=frozenset({"port_officer"}), port="ETK")
COLLEAGUE = Actor(id="sari", organisation="P4MI-NNK", roles=frozenset({"port_officer"}), port="NNK")
SUPERVISOR = Actor(id="penyelia", organisation="BP3MI-65", roles=frozenset({"agency_supervisor"}), region="65")
FAR_SUPERVISOR = Actor(id="jauh", organisation="BP3MI-73", roles=frozenset({"agency_supervisor"}), region="73")
REFERRAL = Actor(id="svc-referral", organisation="rujukan", roles=frozenset({"service"}), kind="client")
NOTIFY = Actor(id="svc-notify", organisation="rujukan", roles=frozenset({"service"}), kind="client")
DPO = Actor(
    id="dpo",
    organisation="KP2MI",
    roles=frozenset({"data_protection_officer"}),
    authenticated_at=datetime(2099, 1, 1, tzinfo=UTC),  # just now, whatever the clock of a test says
)
WORKER = Actor(id="wati", organisation="DINSOS-73.06", roles=frozenset({"agency_worker"}), region="73.06")


def a_vault(kek: bytes = KEK, *, old: Sequence[bytes] = (), index_key: bytes = INDEX_KEY) -> Vault:
    return Vault(Keyring(kek, old), index_key)


def the_settings(database: Database) -> Settings:
    """What intake's application is told, with the keys of `a_vault`."""
    return Settings(
        environment="development",
        database_url=database.url,
        roles="http",
        vault_kek=SecretStr(base64.urlsafe_b64encode(KEK).decode()),
        vault_index_key=SecretStr(base64.urlsafe_b64encode(INDEX_KEY).decode()),
        oidc_issuer="http://127.0.0.1:1",
    )


def an_identity(**said: str) -> Identity:
    return Identity(**{"full_name": "Emong bin Kawaya", "document_number": "XS9000001", **said})


def an_arrival(**said: Any) -> Arrival:
    """An adult man from Gowa."""
    identity = said.pop("identity", None) or an_identity(**said.pop("who", {}))
    return Arrival(**{"identity": identity, "sex": "M", "birth": born_on(date(1991, 1, 19)),
                      "origin_regency": "73.06", **said})  # fmt: skip


def a_new_arrival(
    vault: Vault, *, key: str = "", actor: Actor = OFFICER, arrival: Arrival | None = None, **said: Any
) -> NewArrival:
    """A sealed arrival of one person at Nunukan, ready for `record_arrivals`."""
    submitted = Submitted(
        arrival=arrival or an_arrival(),
        scope=actions.scope_of(actor),
        key=(key or new_id()).encode(),
        port=codes.ports()["NNK"],
        channel="single",
        arrived_at=START,
        **said,
    )
    return seal_arrival(vault, Telling(actor), submitted, START)


async def a_voyage(database: Database, *, actor: Actor = OFFICER, announced: int = 3, **said: Any) -> Voyage:
    async with database.work(actor, purpose="reception") as work:
        return await announce_voyage(
            work,
            **{"modality": "deportation", "vessel": "KM Purnama", "announced": announced, "expected_at": START, **said},
        )


HEADING = (
    "seq,full_name,sex,date_of_birth,nik,doc_type,doc_number,origin_regency_code,screening_flags,accompanied_by_seq"
)


def a_list(*rows: Sequence[str] | str, heading: str = HEADING) -> bytes:
    """A CSV file: rows as they stand in it."""
    return "\n".join([heading, *(row if isinstance(row, str) else ",".join(row) for row in rows)]).encode()


def a_row(n: int, **said: str) -> str:
    """Row `n` of a list with `HEADING`: a grown-up with a document of their own."""
    cells = {
        "seq": f"{n:03d}", "name": f"Orang{n}", "sex": "M", "born": "1990-01-01", "nik": "", "type": "SPLP",
        "number": f"XS9{n:06d}", "regency": "73.06", "flags": "", "with": "", **said,
    }  # fmt: skip
    return ",".join(cells.values())


async def a_draft(database: Database, voyage_id: str, content: bytes, *, actor: Actor = OFFICER) -> str:
    """The id of a list that was uploaded and is not done with."""
    vault = a_vault()
    voyage = await find_voyage(database, actor, voyage_id)
    write = await prepare_draft(database, vault, actor, voyage, await open_file(database, vault, actor, content))
    async with database.work(actor, purpose="manifest") as work:
        return (await write(work)).draft_id


def a_referral_fact(kind: type[ReferralFact], case_id: str, *, need: str, **said: Any) -> ReferralFact:
    """A fact of referral about one need of a case."""
    return kind(case_id=case_id, referral_id=new_id(), need=need, province="73", restricted=False, **said)


async def an_accepted(database: Database, case_id: str, need: str = "SICK", agency: str = "DINKES-73.06") -> str:
    """The id of an assignment that intake has heard was accepted."""
    assignment_id = new_id()
    await hear(database, a_referral_fact(AssignmentAccepted, case_id, need=need, assignment_id=assignment_id,
                                         agency_id=agency, attempt=1, service_due_at=START))  # fmt: skip
    return assignment_id


async def a_disclosure(referral: Any, case_id: str, assignment_id: str, agency: str) -> Any:
    """What referral is answered that asks for an identity on behalf of a worker of the agency."""
    sent = {"case_id": case_id, "assignment_id": assignment_id, "agency_id": agency, "reader": "wati",
            "purpose": "service"}  # fmt: skip
    return await referral.post("/api/disclosures", json=sent)


async def hear(database: Database, *facts: Fact) -> None:
    """Have intake hear facts of referral, each twice, as Kafka may deliver them."""
    inbox = Inbox(database)
    consumers.subscribe(inbox)
    records = [
        ConsumerRecord(
            topic="referral.events",
            partition=0,
            offset=n,
            timestamp=0,
            timestamp_type=0,
            key=fact.case_id.encode(),
            value=journal.payload(WORKER, "service", None, fact),
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=[
                ("ce_id", new_id().encode()),
                ("ce_source", b"referral"),
                ("ce_type", fact.type.encode()),
                ("ce_time", database.clock.now().isoformat().encode()),
                ("ce_sequence", str(next(_numbers)).encode()),
            ],
        )
        for n, fact in enumerate(facts)
    ]
    await inbox.digest([record for record in records for _ in range(2)])
    assert await database.pool.fetchval("SELECT count(*) FROM parked") == 0
