"""What agencies ask the port, and what the port has answered."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.questions import Question
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Question))
COLUMNS = ", ".join(NAMES)
ASKED = NAMES[: NAMES.index("answered_at")]
IDS = ("question_id", "assignment_id", "case_id")


async def add_questions(work: Work, asked: Sequence[Question]) -> set[str]:
    """Put questions to ports; answers the ids of those that were not asked before by the same attempt."""
    rows = await work.connection.fetch(
        f"INSERT INTO questions ({', '.join(ASKED)}) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[],"  # noqa: S608
        " $4::text[], $5::text[], $6::boolean[], $7::text[], $8::timestamptz[], $9::timestamptz[])"
        " ON CONFLICT DO NOTHING RETURNING question_id",
        *zip(*map(attrgetter(*ASKED), asked), strict=True),
    )
    return {str(row["question_id"]) for row in rows}


async def find_asked(work: Work, assignment_ids: Sequence[str]) -> dict[str, list[Question]]:
    """All questions of these attempts, in order. # unscoped: the caller has found the attempts as its own"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM questions WHERE assignment_id = ANY($1::uuid[]) ORDER BY asked_at, question_id",  # noqa: S608
        assignment_ids,
    )
    found: dict[str, list[Question]] = {}
    for row in rows:
        question = _question(row)
        found.setdefault(question.assignment_id, []).append(question)
    return found


async def list_open(work: Work, limit: int) -> list[Question]:
    """What the own port has still to answer, the soonest first."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM questions WHERE port = $1 AND answered_at IS NULL AND closed_at IS NULL"  # noqa: S608
        " ORDER BY due_at, question_id LIMIT $2",
        work.actor.port,
        limit,
    )
    return [_question(row) for row in rows]


async def find_own(work: Work, question_ids: Sequence[str]) -> dict[str, Question]:
    """Of these questions those to the own port."""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM questions WHERE port = $1 AND question_id = ANY($2::uuid[])",  # noqa: S608
        work.actor.port,
        question_ids,
    )
    return {question.question_id: question for question in map(_question, rows)}


async def find_questions(work: Work, question_ids: Sequence[str]) -> dict[str, Question]:
    """Questions by id. # unscoped: the caller has found them as the own port's, and locked their cases since"""
    rows = await work.connection.fetch(
        f"SELECT {COLUMNS} FROM questions WHERE question_id = ANY($1::uuid[])",  # noqa: S608
        question_ids,
    )
    return {question.question_id: question for question in map(_question, rows)}


async def mark_questions_answered(work: Work, answered: Sequence[Question]) -> None:
    """What the port said."""
    columns = ("question_id", "answer", "answered_by")
    await work.connection.execute(
        "UPDATE questions q SET answer = n.answer, answered_by = n.answered_by, answered_at = $4"
        " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (question_id, answer, answered_by)"
        " WHERE q.question_id = n.question_id",
        *zip(*map(attrgetter(*columns), answered), strict=True),
        work.now,
    )


async def close_questions(work: Work, question_ids: Sequence[str]) -> None:
    """Nobody needs these answered any more."""
    await work.connection.execute(
        "UPDATE questions SET closed_at = $2 WHERE question_id = ANY($1::uuid[]) AND answered_at IS NULL",
        question_ids,
        work.now,
    )


def _question(row: Mapping[str, Any]) -> Question:
    return Question(**{**row, **{name: str(row[name]) for name in IDS}})
