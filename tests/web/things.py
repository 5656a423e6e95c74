"""One of each thing that an address can name, so that a test gets further than to a thing that is not there."""

from services.audit.actions import Signer
from services.intake.actions.arrivals import Desk
from services.notify.gateways.secrets import Seal
from services.referral.actions import opening
from services.referral.actions.routing import Routing
from shared.contracts.referral.referrals import ReferralOpened
from shared.kit.actor import system
from shared.kit.ids import new_id
from tests.audit.ledger import Ledger
from tests.intake import factories as intake
from tests.notify import factories as notify
from tests.referral import factories as referral
from tests.web.served import PEOPLE, Served

CASE = "019ab000-0000-7000-8000-000000000000"
LEAVES = 300


async def fill(site: Served) -> dict[str, str]:
    """Put them into the service's database; answer their ids by the name they have in addresses."""
    return await {"intake": _intake, "referral": _referral, "notify": _notify, "audit": _audit}[site.name](site)


async def _intake(site: Served) -> dict[str, str]:
    now = site.database.clock.now()
    voyage = await intake.a_voyage(site.database, actor=PEOPLE["officer"], expected_at=now)
    desk: Desk = site.app.state.desk
    recorded = await desk.record(
        PEOPLE["officer"], intake.an_arrival(), key=new_id(), voyage_id=voyage.voyage_id, arrived_at=None
    )
    rows = intake.a_list(intake.a_row(1))
    draft_id = await intake.a_draft(site.database, voyage.voyage_id, rows, actor=PEOPLE["officer"])
    return {"voyage_id": voyage.voyage_id, "case_id": recorded.case_id, "draft_id": draft_id}


async def _referral(site: Served) -> dict[str, str]:
    routing: Routing = site.app.state.routing
    async with site.database.work(system("referral", "consumer"), purpose="hear") as work:
        await opening.open_referrals(work, [referral.an_arrival("ELDER"), referral.an_arrival("PWD")], routing=routing)
    [row, *_] = await site.database.fetch(
        "SELECT assignment_id, referral_id FROM assignments WHERE agency_id = 'DINSOS-73.06' ORDER BY assignment_id"
    )
    return {"assignment_id": str(row["assignment_id"]), "referral_id": str(row["referral_id"])}


async def _notify(site: Served) -> dict[str, str]:
    seal: Seal = site.app.state.seal
    url = "https://posko.example/notices"
    subscription_id = await notify.a_subscription(site.database, actor=PEOPLE["ngo"], url=url, seal=seal)
    await notify.hear(site.database, notify.a_fact(ReferralOpened, need="ELDER"))
    [row] = await site.database.fetch("SELECT delivery_id FROM deliveries")
    return {"subscription_id": subscription_id, "delivery_id": str(row["delivery_id"])}


async def _audit(site: Served) -> dict[str, str]:
    signer: Signer = site.app.state.signer
    ledger = Ledger(site.database, signer)
    await ledger.hear_cases(LEAVES)
    await ledger.seal()
    return {"case_id": CASE, "case": CASE[:8], "level": "0", "path": "000"}
