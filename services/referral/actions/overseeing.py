"""What agencies have still to confirm of the copies they keep, as those see it who oversee them."""

from services.referral import policy
from services.referral.store import recipients
from services.referral.store.recipients import Outstanding
from shared.kit.work import Work


async def count_outstanding(work: Work) -> list[Outstanding]:
    """How many copies are still to be seen to in the actor's region, or in the country for who oversees or runs it."""
    in_numbers = policy.answers_for_the_country(work.actor)
    everywhere = in_numbers or policy.oversees_everywhere(work.actor)
    if in_numbers:
        await work.as_service()  # numbers only: no copy is a coordinator's to see
    return await recipients.count_outstanding(work, everywhere=everywhere)
