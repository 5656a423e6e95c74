"""Correcting what was announced of a voyage, on the version that was looked at. Who was recorded landed as recorded."""

from collections.abc import Callable, Mapping
from datetime import datetime

from services.intake.actions.arrival_corrections import CORRECTED_MEANWHILE
from services.intake.actions.arrivals import port_of
from services.intake.actions.recording import told_day
from services.intake.domain import voyage_corrections as domain
from services.intake.domain.refusals import Refused
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.domain.voyage_corrections import Said
from services.intake.domain.voyages import Voyage, VoyageStep
from services.intake.store import voyage_corrections as store
from shared.contracts import codes
from shared.contracts.codes import VoyageCorrectionReason, VoyageField
from shared.contracts.intake.voyages import VoyageCorrected
from shared.kit import words
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work

NAMES: Mapping[VoyageField, str] = {
    "expected_at": msg("Expected"),
    "vessel": msg("Ship or flight"),
    "modality": msg("Kind of return"),
}
Say = Callable[[VoyageField, str | datetime], str]
"""Words what a field of a voyage says."""


class VoyageChangedMeanwhile(Refused):
    """Somebody else has corrected the voyage since it was looked at: `step` says what, who and when."""

    def __init__(self, *, expected: int, now: Voyage, step: VoyageStep | None) -> None:
        super().__init__()
        self.expected = expected
        self.now = now
        self.step = step


class VoyageChanged(Refusal):
    """The same, for who reads it: both values, who was first and when, and what to do."""

    status = 409
    code = "voyage_changed"
    title = msg("This voyage was corrected meanwhile")

    def __init__(self, language: Language, changed: VoyageChangedMeanwhile, say: Say) -> None:
        step = changed.step

        def told(before: str) -> str:
            if step is None:
                return "–"
            return ", ".join(say(field, getattr(step, f"{before}{field}")) for field in step.changed)

        zone = codes.ports()[changed.now.port].zone
        super().__init__(
            words.translate(
                language,
                CORRECTED_MEANWHILE,
                time="–" if step is None else words.moment(language, step.corrected_at, zone),
                who="–" if step is None else step.corrected_by,
                what=", ".join(words.translate(language, NAMES[one]) for one in (step.changed if step else ())) or "–",
                was=told("was_"),
                became=told(""),
                expected=changed.expected,
                found=changed.now.version,
            )
        )


async def correct_voyage(
    work: Work, voyage_id: str, *, version: int, said: Said, reason: VoyageCorrectionReason
) -> Voyage:
    """Correct a voyage of the actor's port.

    Raises `NotAllowed`, `VoyageUnknown`, `VoyageChangedMeanwhile`, `NothingToCorrect`, `ExpectedFarOff`.
    """
    port_of(work.actor)
    voyage = await store.lock(work, voyage_id)
    if voyage is None:
        raise VoyageUnknown
    if voyage.version != version:
        step = await store.last_step(work, voyage_id)
        raise VoyageChangedMeanwhile(expected=version, now=voyage, step=step)
    told_on = told_day(voyage) if await store.has_list(work, voyage_id) else None
    after = domain.corrected(voyage, said, now=work.now, told_on=told_on)
    step = VoyageStep(
        version=after.version,
        was_expected_at=voyage.expected_at,
        expected_at=after.expected_at,
        was_vessel=voyage.vessel,
        vessel=after.vessel,
        was_modality=voyage.modality,
        modality=after.modality,
        reason=reason,
        corrected_by=work.actor.id,
        corrected_at=work.now,
    )
    await store.save(work, after, step)
    work.record(
        VoyageCorrected(
            case_id=voyage_id,
            version=after.version,
            changed=step.changed,
            was_expected_at=voyage.expected_at,
            expected_at=after.expected_at,
            was_modality=voyage.modality,
            modality=after.modality,
            reason=reason,
        )
    )
    return after
