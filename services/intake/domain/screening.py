"""From what a person answers to what they need: short questions by group, a rule for each need, and indicators of
trafficking, scored and explained. A person decides; nothing is decided by the score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, get_args

from services.intake.domain.needs import ordered
from services.intake.domain.refusals.screening import AnswerUnknown, DecisionNeedsReason, LevelNotDecided
from shared.contracts.codes import AgeBand, NeedCode, TraffickingDecision, TraffickingReason

Group = Literal["sick", "old", "pregnant", "children", "trafficked", "rights"]
"""The five groups that this is built for, and rights from work and at law, which concern anybody."""
Answer = Literal["yes", "no", "unknown", "declined"]
Element = Literal["act", "means", "purpose"]
Level = Literal["indicated", "possible", "none"]
Interpreter = Literal["none", "officer", "interpreter", "relative"]
"""Who translated. A relative is told apart: before a relative not everything is said."""

ANSWERS: tuple[Answer, ...] = get_args(Answer)
ELEMENTS: tuple[Element, ...] = get_args(Element)
BY_OTHERS: frozenset[NeedCode] = frozenset({"UAC", "CHILD", "ELDER", "NEED", "REMAINS"})
"""Needs that follow from age and company, and everybody's: the screening adds none of these."""


POINTS_TO: Mapping[Level, tuple[TraffickingDecision, ...]] = {
    "indicated": ("indicated",),
    "possible": ("indicated", "assess_further"),
    "none": ("not_indicated", "not_asked"),
}
"""Decisions that go with what the indicators come to; any other has a reason."""


class Unsound(ValueError):
    """A questionnaire with a hole; the sentence names the thing and the remedy."""


@dataclass(frozen=True, slots=True)
class Question:
    """Asked in the words of the reader's language. `shows`: the answer that points to a need."""

    id: str
    group: Group
    text: Mapping[str, str]
    shows: Answer = "yes"


@dataclass(frozen=True, slots=True)
class Rule:
    """A need is proposed when one of these questions is answered with what it shows; `of` whom alone, if given."""

    need: NeedCode
    any: tuple[str, ...]
    of: Literal["child"] | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One element of trafficking that a question speaks of, and how much it weighs."""

    question: str
    element: Element
    weight: int


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One version. `private`: groups that are asked with nobody else in the room."""

    version: str
    questions: tuple[Question, ...]
    rules: tuple[Rule, ...]
    indicators: tuple[Indicator, ...]
    possible_from: int
    private: frozenset[Group]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(question.id for question in self.questions)


@dataclass(frozen=True, slots=True)
class Trafficking:
    """What the indicators come to, and which of them: for a person to decide on, never instead."""

    level: Level
    score: int
    elements: tuple[Element, ...]
    shown: tuple[str, ...]
    """Questions whose answers are indicators, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Needs that the answers propose, each with the questions that show it; `open`: questions without an answer."""

    proposed: tuple[NeedCode, ...]
    because: Mapping[NeedCode, tuple[str, ...]]
    trafficking: Trafficking
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How the talk was led: where, in which language, who translated, and whether nobody else listened."""

    place: str
    language: str
    interpreter: Interpreter
    alone: bool


@dataclass(frozen=True, slots=True)
class Screening:
    """One talk, in codes; the answers themselves are sealed."""

    screening_id: str
    case_id: str
    questionnaire: str
    screened_by: str
    screened_at: datetime
    circumstances: Circumstances
    proposed: tuple[NeedCode, ...]
    added: tuple[NeedCode, ...]
    level: Level
    score: int
    decision: TraffickingDecision
    reason: TraffickingReason | None


def questionnaire_of(given: Mapping[str, Any]) -> Questionnaire:
    """A questionnaire from its file. Raises `Unsound`."""
    questions = [
        Question(one["id"], section["group"], {"id": one["id_text"], "en": one["en_text"]}, one.get("asks_for", "yes"))
        for section in given["sections"]
        for one in section["questions"]
    ]
    made = Questionnaire(
        version=given["version"],
        questions=tuple(questions),
        rules=tuple(Rule(one["need"], tuple(one["any"]), one.get("of")) for one in given["rules"]),
        indicators=tuple(
            Indicator(one["question"], one["element"], one["weight"]) for one in given["trafficking"]["indicators"]
        ),
        possible_from=given["trafficking"]["possible_from"],
        private=frozenset(section["group"] for section in given["sections"] if section.get("private")),
    )
    _check(made, frozenset(given["not_asked"]))
    return made


def _check(made: Questionnaire, not_asked: frozenset[str]) -> None:
    ids = [question.id for question in made.questions]
    twice = {one for one in ids if ids.count(one) > 1}
    if twice:
        raise Unsound(f"{made.version}: question {min(twice)} stands there twice; give each an id of its own")
    for question in made.questions:
        if question.group not in get_args(Group) or question.shows not in ("yes", "no"):
            raise Unsound(f"{made.version}: question {question.id} has an unknown group or answer")
        if not all(question.text.values()):
            raise Unsound(f"{made.version}: question {question.id} lacks words in a language")
    used = [name for rule in made.rules for name in rule.any] + [one.question for one in made.indicators]
    unknown = sorted(set(used) - set(ids))
    if unknown:
        raise Unsound(f"{made.version}: a rule or an indicator names {unknown[0]}, which is no question")
    if any(rule.need in BY_OTHERS or rule.need == "TIP" for rule in made.rules):
        raise Unsound(f"{made.version}: a rule leads to a need that no answer decides")
    ruled = [rule.need for rule in made.rules]
    missing = sorted(set(get_args(NeedCode)) - set(ruled) - not_asked)
    if missing:
        raise Unsound(f"{made.version}: no rule leads to {missing[0]}; add one, or say why it is not asked")
    for element in ELEMENTS:
        if not any(one.element == element and one.weight > 0 for one in made.indicators):
            raise Unsound(f"{made.version}: no indicator speaks of the {element}; trafficking could never be shown")


def assess(questionnaire: Questionnaire, answers: Mapping[str, Answer], *, age_band: AgeBand) -> Assessment:
    """What the answers come to. Raises `AnswerUnknown` for a question that is not asked or an answer that is none."""
    for name, answer in answers.items():
        if name not in questionnaire.ids or answer not in ANSWERS:
            raise AnswerUnknown(name)
    is_child = age_band in ("child", "unknown")
    shown = {question.id for question in questionnaire.questions if answers.get(question.id) == question.shows}
    because = {
        rule.need: found
        for rule in questionnaire.rules
        if (found := tuple(name for name in rule.any if name in shown)) and (rule.of is None or is_child)
    }
    return Assessment(
        proposed=ordered(because),
        because=because,
        trafficking=_trafficking(questionnaire, shown, is_child=is_child),
        open=tuple(question.id for question in questionnaire.questions if question.id not in answers),
    )


def explain(questionnaire: Questionnaire, kept: Screening, answers: Mapping[str, Answer]) -> Assessment:
    """Why a talk came to what it did, by the version it was asked with, whatever was corrected of the person since.

    Without answers, once the person was erased, what was proposed is left and nothing of why.
    """
    # Of a child more is asked; what was proposed then says what of it applied.
    found = assess(questionnaire, answers, age_band="unknown")
    return replace(
        found,
        proposed=kept.proposed,
        because={need: shown for need, shown in found.because.items() if need in kept.proposed},
        trafficking=replace(found.trafficking, level=kept.level, score=kept.score),
    )


def _trafficking(questionnaire: Questionnaire, shown: set[str], *, is_child: bool) -> Trafficking:
    """Indicated: act, means and purpose together (UU 21/2007 Art 1); of a child the means is not asked for."""
    found = [one for one in questionnaire.indicators if one.question in shown]
    elements = tuple(element for element in ELEMENTS if any(one.element == element for one in found))
    score = sum(one.weight for one in found)
    needed = {"act", "purpose"} if is_child else set(ELEMENTS)
    level: Level = "none"
    if needed <= set(elements):
        level = "indicated"
    elif "purpose" in elements or score >= questionnaire.possible_from:
        level = "possible"
    weightiest = sorted(found, key=lambda one: (-one.weight, one.question))
    return Trafficking(level, score, elements, tuple(one.question for one in weightiest))


def expect_decided(trafficking: Trafficking, decision: TraffickingDecision, reason: TraffickingReason | None) -> None:
    """A person decides on the indicators, and says why it is another way than they point.

    Raises `LevelNotDecided` when indicators were shown and nobody decided, `DecisionNeedsReason`.
    """
    if decision == "not_asked" and trafficking.level != "none":
        raise LevelNotDecided
    if decision not in POINTS_TO[trafficking.level] and reason is None:
        raise DecisionNeedsReason


def to_add(chosen: Sequence[NeedCode], had: Sequence[str], decision: TraffickingDecision) -> tuple[NeedCode, ...]:
    """The needs that a screening adds to those that a case has; none is taken away by it."""
    wanted: set[NeedCode] = {need for need in chosen if need not in BY_OTHERS and need != "TIP"}
    if decision == "indicated":
        wanted.add("TIP")
    return ordered(need for need in wanted if need not in had)
