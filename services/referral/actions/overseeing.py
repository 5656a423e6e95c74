"""What agencies have still to confirm of the copies they keep, as those see it who oversee them."""

from services.referral import policy
from services.referral.domain import figures
from services.referral.domain.recipients import Outstanding
from services.referral.store import recipients
from shared.kit.work import Work


async def count_outstanding(work: Work) -> list[Outstanding]:
    """How many copies are still to be seen to in the actor's region, or in the country for who oversees or runs it.

    Who runs it is not before each of them: the numbers are rounded, or left out, as in figures.
    """
    in_numbers = policy.answers_for_the_country(work.actor)
    everywhere = in_numbers or policy.oversees_everywhere(work.actor)
    if in_numbers:
        await work.as_service()  # numbers only: no copy is a coordinator's to see
    found = await recipients.count_outstanding(work, everywhere=everywhere)
    return figures.published_outstanding(found) if in_numbers else found
