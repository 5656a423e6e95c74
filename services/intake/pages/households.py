"""The household of a person: who belongs to it, which adult answers for which child, what waits for a second one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response

from services.intake import policy
from services.intake.actions import arrivals as recording
from services.intake.actions import households
from services.intake.actions.households import HouseholdConflict, Seen
from services.intake.actions.records import Record
from services.intake.domain.households import CHILDREN, NO_PROOF, NOT_STATED
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.arrival_corrections import ArrivalInError
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.households import (
    AlreadyTogether,
    GuardianUnfit,
    HouseholdChangedMeanwhile,
    InTwoHouseholds,
    LinkedBefore,
    LinkEnded,
    LinkNotProposed,
    NobodyElseConfirms,
    NotInHousehold,
    OneHasDied,
    StillAnswersForChild,
)
from services.intake.pages import labels
from services.intake.store import households as store
from services.intake.store.persons import Case
from shared.contracts import codes
from shared.contracts.fact import Id
from shared.contracts.intake.households import HouseholdReason, Relation, RelationProof, UnlinkReason
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import is_id
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter()

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]

MOST = 200
SHOWN = (
    AlreadyTogether, ArrivalInError, GuardianUnfit, InTwoHouseholds, LinkEnded, LinkNotProposed, LinkedBefore,
    NobodyElseConfirms, NotInHousehold, OneHasDied, StillAnswersForChild,
)  # fmt: skip
"""What the page says beside what was typed; every other refusal is a page of its own."""


@router.get("/keluarga/{case_id}")
async def household_page(request: Request, case_id: Id, actor: Reader) -> Response:
    """The household of a case of the own port, in codes."""
    return await _page(request, actor, case_id)


@router.post("/keluarga/{case_id}")
async def join(request: Request, case_id: Id, actor: Officer) -> Response:
    """Put this person and another into one household."""
    form = await request.form()
    other = str(form.get("with", "")).strip().lower()

    async def act(work: Work) -> str:
        if not is_id(other):
            raise CaseUnknown
        # Whoever was looked at without a household may come into that of the other: its version is not on this page.
        seen = await households.look(work, case_id)
        version = _version(form) if seen.household is not None else (await households.look(work, other)).version
        await households.join(work, case_id, other, version=version)
        return msg("They belong to one household now and are referred together.")

    return await _act(request, actor, case_id, "with", act, typed={"with": other})


@router.post("/keluarga/{case_id}/pisah")
async def part(request: Request, case_id: Id, actor: Officer) -> Response:
    """This person belongs to the household no longer."""
    form = await request.form()
    reason = _chosen(form, "reason", labels.PARTINGS)

    async def act(work: Work) -> str:
        await households.part(work, case_id, version=_version(form), reason=cast(HouseholdReason, reason))
        return msg("This person belongs to the household no longer.")

    return await _act(request, actor, case_id, "reason", act, typed={"reason": reason})


@router.post("/keluarga/{case_id}/wali")
async def propose(request: Request, case_id: Id, actor: Officer) -> Response:
    """Ask that an adult count as answering for this child."""
    form = await request.form()
    adult = str(form.get("adult", "")).strip().lower()
    relation = _chosen(form, "relation", labels.RELATIONS)
    proof = _chosen(form, "proof", labels.RELATION_PROOFS)

    async def act(work: Work) -> str:
        if not is_id(adult):
            raise CaseUnknown
        await households.propose_guardian(
            work,
            case_id,
            adult,
            relation=cast(Relation, relation),
            proof=cast(RelationProof, proof),
        )
        return msg("Asked for. Another person of the port has to confirm it; until then the child counts as before.")

    typed = {"adult": adult, "relation": relation, "proof": proof}
    return await _act(request, actor, case_id, "adult", act, typed=typed)


@router.get("/wali")
async def proposals_page(request: Request, actor: Officer) -> Response:
    """Adults who wait for a second person, the longest first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found = await households.list_proposed(work, limit=MOST)
        now = work.now
    return web.page(
        request,
        "guardians.html",
        links=found,
        now=now,
        me=actor.id,
        zone=recording.port_of(actor).zone,
        case_code=labels.case_code,
        relations=labels.RELATIONS,
        proofs=labels.RELATION_PROOFS,
    )


@router.post("/wali/{link_id}")
async def decide(request: Request, link_id: Id, actor: Officer) -> Response:
    """Confirm a link, or end it with a reason; what was asked for only is refused or taken back by that."""
    form = await request.form()
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        case_id = (await households.find_link(work, link_id)).child_case_id

    async def act(work: Work) -> str:
        if form.get("decision") == "confirmed":
            await households.confirm_guardian(work, link_id, version=_version(form))
            return msg("Confirmed: the adult answers for the child, and the two are referred together.")
        reason = _chosen(form, "unlink", labels.UNLINKINGS)
        await households.end_guardian(work, link_id, version=_version(form), reason=cast(UnlinkReason, reason))
        return msg("Unlinked. A child whom nobody answers for is protected as unaccompanied from now on.")

    return await _act(request, actor, case_id, "unlink", act)


def describe(language: words.Language, record: Record, case: Case, zone: str) -> list[tuple[str, str]]:
    """The household of a case for the person, without who else is in it."""
    told: list[tuple[str, str]] = []
    for one in record.belonging:
        if one.case_id == case.case_id:
            until = words.moment(language, one.parted_at, zone) if one.parted_at else "–"
            said = (words.moment(language, one.joined_at, zone), until, str(one.others))
            told.append(
                (words.translate(language, msg("Household: since, until, how many others now")), " · ".join(said))
            )
    for link in record.links:
        if case.case_id in (link.child_case_id, link.adult_case_id):
            states = (
                labels.RELATIONS[link.relation],
                labels.RELATION_PROOFS[link.proof],
                labels.LINK_STATES[link.state],
            )
            title = (
                msg("Adult who answers for you") if case.case_id == link.child_case_id else msg("Child you answer for")
            )
            told.append(
                (words.translate(language, title), " · ".join(words.translate(language, text) for text in states))
            )
    return told


async def _act(
    request: Request,
    actor: Actor,
    case_id: str,
    field: str,
    act: Callable[[Work], Awaitable[str]],
    typed: Mapping[str, str] | None = None,
) -> Response:
    """One change, once per form; what stands in its way is shown with what was typed."""
    database: Database = request.app.state.database
    language = web.language_of(request)
    try:
        async with database.work(actor, purpose="reception") as work:

            async def once() -> Response:
                return web.redirect(request, f"/keluarga/{case_id}", said=await act(work))

            return await web.idempotent(request, work, await web.key_of(request), once)
    except HouseholdChangedMeanwhile as changed:
        conflict = HouseholdConflict(language, changed, policy.own_port(actor))
        problem = web.FieldProblem(field, conflict.detail)
        return await _page(request, actor, case_id, typed=typed, errors=[problem], status=409)
    except SHOWN as refused:
        return await _again(request, actor, case_id, field, refused, typed)
    except CaseUnknown as refused:
        if typed is None:
            raise
        return await _again(request, actor, case_id, field, refused, typed)


async def _again(
    request: Request, actor: Actor, case_id: str, field: str, refused: Refused, typed: Mapping[str, str] | None
) -> Response:
    problem = web.FieldProblem(field, words.translate(web.language_of(request), refused.detail))
    return await _page(request, actor, case_id, typed=typed, errors=[problem], status=422)


async def _page(
    request: Request,
    actor: Actor,
    case_id: str,
    *,
    typed: Mapping[str, str] | None = None,
    errors: list[web.FieldProblem] | None = None,
    status: int = 200,
) -> Response:
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        seen = await households.look(work, case_id)
        landed = await store.list_landed_with(work, case_id, limit=MOST)
        now = work.now
    language = web.language_of(request)
    own = next((one for one in landed if one.case_id == case_id), None)
    return web.page(
        request,
        "household.html",
        status,
        seen=seen,
        case_id=case_id,
        case_code=labels.case_code,
        now=now,
        zone=codes.ports()[policy.own_port(actor)].zone,
        me=actor.id,
        may_link=policy.may_link_people(actor),
        is_child=own is not None and own.age_band in CHILDREN,
        belongs=any(member.case_id == case_id for member in seen.present),
        adults=_choices(language, seen, [o for o in landed if o.ended_as is None and o.age_band not in CHILDREN]),
        others=_choices(language, seen, [one for one in landed if one.ended_as != "entered_in_error"]),
        typed={"with": "", "adult": "", "relation": NOT_STATED, "proof": NO_PROOF, "reason": "", **(typed or {})},
        errors=errors or [],
        sexes=labels.SEXES,
        age_bands=labels.AGE_BANDS,
        joinings=labels.JOININGS,
        reasons={**labels.JOININGS, **labels.PARTINGS},
        relations=labels.RELATIONS,
        proofs=labels.RELATION_PROOFS,
        link_states=labels.LINK_STATES,
        unlinkings={**labels.UNLINKINGS, **labels.LINK_ENDS},
        parting_options=labels.options(language, labels.PARTINGS),
        relation_options=labels.options(language, labels.RELATIONS),
        proof_options=labels.options(language, labels.RELATION_PROOFS),
        unlink_options=labels.options(language, labels.UNLINKINGS),
    )


def _choices(language: words.Language, seen: Seen, landed: list[store.Landed]) -> list[tuple[str, str]]:
    """Those who landed with this person as a select offers them: number, row of the list, sex and age group."""
    return [
        (
            one.case_id,
            " · ".join(
                (
                    labels.case_code(one.case_id),
                    str(one.manifest_row or "–"),
                    words.translate(language, labels.SEXES[one.sex]),
                    words.translate(language, labels.AGE_BANDS[one.age_band]),
                )
            ),
        )
        for one in landed
        if one.case_id != seen.case_id
    ]


def _chosen(form: Mapping[str, Any], name: str, known: Mapping[str, str]) -> str:
    """What was chosen, the first where that is none of ours: a select has no other."""
    chosen = str(form.get(name, ""))
    return chosen if chosen in known else next(iter(known))


def _version(form: Mapping[str, Any]) -> int:
    text = str(form.get("version", ""))
    return int(text) if text.isdecimal() and len(text) < 9 else 0
