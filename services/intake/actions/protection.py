"""Who looks after the data of people at every port, and whose data it is."""

from services.intake import policy
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.store import persons
from services.intake.store.persons import Case, Person
from shared.kit.work import Work


async def act_for_all_ports(work: Work) -> None:
    """Let an officer for the protection of data see every port. Raises `NotAllowed`."""
    if not policy.may_protect(work.actor):
        raise NotAllowed
    await work.as_service()  # keys are nobody's; that this officer sees every port is for policy alone to say


async def find_person(work: Work, case_id: str) -> Person:
    """The person of a case. Raises `NotAllowed` or `CaseUnknown`."""
    await act_for_all_ports(work)
    person = await persons.find(work, case_id)
    if person is None:
        raise CaseUnknown
    return person


async def find_case(work: Work, case_id: str) -> Case:
    """One case with its sealed identity; whether the actor may have it, the caller says. Raises `CaseUnknown`."""
    person = await persons.find(work, case_id)
    if person is None:
        raise CaseUnknown
    return next(case for case in await persons.list_cases(work, [person.person_id]) if case.case_id == case_id)
