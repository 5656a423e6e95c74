"""What can be wrong with rules: where it stands, what it is, and what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.kit.words import msg

Reason = Literal[
    "no_jdm",
    "strange_node",
    "unknown_member",
    "no_table",
    "hit_policy",
    "columns",
    "no_text",
    "no_id",
    "same_id",
    "no_need",
    "does_not_compile",
    "no_meaning",
    "empty",
    "no_office",
    "unknown_code",
    "never_holds",
    "unreachable",
    "overlaps",
    "proposed_twice",
    "unknown_kind",
    "no_terms",
    "no_backstop",
    "no_value",
    "no_time",
    "no_quarters",
    "no_whole",
    "sleeps",
    "too_open",
    "waits",
    "no_workbook",
    "no_csv",
    "no_sheet",
    "too_long",
    "headings",
    "formula",
    "merged",
    "far_out",
    "strange_sheet",
    "strange",
]  # fmt: skip
REMEDIES: Mapping[Reason, str] = {
    "no_jdm": msg("this holds no decision tables in JDM; begin with the version in force"),
    "strange_node": msg("of the kind %(other)s, which could run code; only tables are allowed, take it out"),
    "unknown_member": msg("holds %(other)s, which says nothing here; take it out"),
    "no_table": msg("the table is missing, or is none; the tables are %(known)s"),
    "hit_policy": msg("the hit policy has to be %(other)s"),
    "columns": msg("the columns have to be %(known)s, in this order"),
    "no_text": msg("holds a cell that is no text, or none of 1,000 characters at most in one line; write it so"),
    "no_id": msg("has no id; give it one that no other row has"),
    "same_id": msg("has the id of another row; give it one of its own"),
    "no_need": msg("does not say for which needs it is; write them"),
    "does_not_compile": msg("cannot be read: %(other)s; write one of %(known)s, as text in quotes"),
    "no_meaning": msg("holds nothing that has a value: %(other)s; write a number, or a code in quotes"),
    "empty": msg("is empty; write what the row gives here"),
    "no_office": msg("kind, level and place do not belong together; national is for nation, and nothing else is"),
    "unknown_code": msg("a code that there is not; write one of %(known)s"),
    "never_holds": msg("holds for nothing; write one of %(known)s, as text in quotes or as true or false"),
    "unreachable": msg("never holds as a whole: its cells exclude each other; change one or take the row out"),
    "overlaps": msg("also holds where the row %(other)s above it does, which wins; take the case out of one of them"),
    "proposed_twice": msg("proposes the same office as the row %(other)s for the same case; take one of them out"),
    "unknown_kind": msg("the directory has no office of this kind; enter one first, or write one of %(known)s"),
    "no_terms": msg("no row holds for %(other)s; add one"),
    "no_backstop": msg("no row proposes a national office for %(other)s, whatever else is known; add one"),
    "no_value": msg("is none of %(known)s; write one of them"),
    "no_time": msg("is no time that can be kept; write %(known)s hours at most, in whole hours"),
    "no_quarters": msg("is no time that can be kept; write %(known)s hours at most, in quarters of an hour"),
    "no_whole": msg("with the time to open it makes no whole hours; change one of them"),
    "sleeps": msg("of urgency 1 all hours count; write always"),
    "too_open": msg("holds for a child, or for a need that the case team alone may see; write restricted"),
    "waits": msg("lets nobody be asked before a consent, though the need is urgent or does not rest on consent alone"),
    "no_workbook": msg("this is no workbook that can be read; save it as XLSX"),
    "no_csv": msg("this is no CSV that can be read; save it with commas, in UTF-8"),
    "too_long": msg("a table has at most %(other)s rows; take some out"),
    "no_sheet": msg("the workbook has no such sheet; its sheets are %(known)s"),
    "headings": msg("the headings are not those of this table; they are %(known)s"),
    "formula": msg("is a formula; write what comes out of it"),
    "merged": msg("is merged, which leaves all its cells but one empty; split it and fill each"),
    "far_out": msg("lies beyond the table, which has at most %(other)s columns; take it out"),
    "strange_sheet": msg("is no table of the rules; take the sheet out, the tables are %(known)s"),
    "strange": msg("is neither text, number, true nor false; write one of them"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, where, and what to do. `row`, `column` are empty where a whole table is meant."""

    table: str
    row: str
    column: str
    reason: Reason
    other: str = ""
    known: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What is wrong and what to do."""
        return REMEDIES[self.reason] % self.values

    @property
    def values(self) -> dict[str, str]:
        """What the sentence of its reason is about."""
        return {"other": self.other, "known": ", ".join(self.known)}

    def __str__(self) -> str:
        return f"{' '.join(part for part in (self.table, self.row, self.column) if part)}: {self.said}"


class BadRules(ValueError):
    """A rule set that may not decide: everything that is wrong with it, as far as it could be read."""

    def __init__(self, version: str, findings: Sequence[Finding]) -> None:
        super().__init__(f"{version}: " + "; ".join(map(str, findings)))
        self.findings = tuple(findings)
