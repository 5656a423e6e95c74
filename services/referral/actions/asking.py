"""Questions between an agency that was asked and the port: asked, answered, or left unanswered too long."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.referral.actions import following, telling
from services.referral.actions.answering import Answer, each
from services.referral.actions.answering import Result as Attempted
from services.referral.actions.following import Changes
from services.referral.actions.routing import Routing, counting_of
from services.referral.domain import assignments, needs, questions
from services.referral.domain.assignments import Assignment
from services.referral.domain.deadlines import Counting
from services.referral.domain.needs import Need
from services.referral.domain.questions import Question
from services.referral.domain.refusals import QuestionOpen, QuestionUnknown, Refused
from services.referral.store import escalations as ladder
from services.referral.store import questions as store
from shared.kit.ids import new_id
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Reply:
    """What the port answers to one question."""

    question_id: str
    answer: str


Result = Question | Refused


async def ask_port(work: Work, answers: Sequence[Answer], *, routing: Routing) -> list[Attempted]:
    """The agency asks the port before it decides; its time stands still meanwhile."""
    asked: dict[str, Question] = {}
    counted: dict[str, Counting] = {}
    before: dict[str, list[Question]] = {}

    async def prepare(changes: Changes) -> None:
        before.update(
            await store.find_asked(work, [a.assignment_id for n in changes.before.values() for a in n.attempts])
        )
        counted.update(await counting_of(work, changes.before.values(), routing))

    def ask(need: Need, answer: Answer) -> Need:
        found = need.attempt(answer.assignment_id)
        assignments.expect(found, answer.version)
        if any(one.code == answer.question for one in before.get(found.assignment_id, ())):
            raise QuestionOpen
        question_id = new_id()
        counting = counted[found.assignment_id]
        waiting = questions.ask(found, question_id, answer.question, counting=counting, now=work.now)
        question = asked[question_id] = Question(
            question_id=question_id,
            assignment_id=found.assignment_id,
            case_id=need.referral.case_id,
            agency_id=found.agency_id,
            port=need.referral.port,
            restricted=need.referral.restricted,
            code=answer.question,
            asked_at=work.now,
            due_at=waiting.answer_due_at,
        )
        after = needs.with_attempt(need, waiting)
        if found.acknowledged_at is None:
            work.emit(telling.acknowledged(after, waiting))
        work.emit(telling.question_asked(after, waiting, question))
        return after

    async def follow(_: Changes) -> None:
        if asked:
            await store.add_questions(work, list(asked.values()))

    return await each(work, answers, ask, prepare=prepare, follow=follow)


async def answer_questions(work: Work, replies: Sequence[Reply], *, routing: Routing) -> list[Result]:
    """An officer of the port answers; the agency's time goes on. Another port's question looks like a missing one."""
    own = await store.find_own(work, [reply.question_id for reply in replies])
    changes = await following.locked_by_attempts(work, [question.assignment_id for question in own.values()])
    found = await store.find_questions(work, sorted(own))
    counted = await counting_of(work, changes.before.values(), routing)
    answered: list[Question] = []
    results: list[Result] = []
    for reply in replies:
        if reply.question_id not in found:
            results.append(QuestionUnknown())
            continue
        try:
            question = questions.answer(found[reply.question_id], reply.answer, by=work.actor.id, now=work.now)
        except Refused as refused:
            results.append(refused)
            continue
        found[reply.question_id] = question
        answered.append(question)
        results.append(question)
        need = changes.need_of(question.assignment_id)
        waiting, counting = need.attempt(question.assignment_id), counted[question.assignment_id]
        resumed = needs.with_attempt(need, questions.resume(waiting, counting=counting, now=work.now))
        changes.put(resumed)
        work.emit(telling.question_answered(resumed, resumed.attempt(question.assignment_id), question))
    if answered:
        await store.mark_questions_answered(work, answered)
        spoken_of = {changes.need_of(question.assignment_id).referral.referral_id for question in answered}
        await ladder.close_escalations(work, sorted(spoken_of), reason="question_unanswered")
    await following.save(work, changes)
    return results


async def lapse(work: Work, changes: Changes, due: Sequence[Assignment], routing: Routing) -> None:
    """The port did not answer these in time: the agency's time goes on, and a supervisor is told."""
    if not due:
        return
    found = await store.find_questions(work, [a.question_id for a in due if a.question_id is not None])
    counted = await counting_of(work, [changes.need(assignment.referral_id) for assignment in due], routing)
    for assignment in due:
        assert assignment.question_id is not None
        running = questions.lapse(assignment, counting=counted[assignment.assignment_id], now=work.now)
        lapsed = needs.with_attempt(changes.need(assignment.referral_id), running)
        changes.put(lapsed)
        changes.escalate(lapsed, "question_unanswered", running)
        work.emit(telling.question_lapsed(lapsed, running, found[assignment.question_id]))
