"""What can be wrong with a name list: each problem's message and remedy, as message ids of the catalogues."""

from dataclasses import dataclass


def msg(sentence: str) -> str:
    """Mark a sentence for the catalogues; returns it unchanged. (The platform's own marker is out of reach here.)"""
    return sentence


@dataclass(frozen=True, slots=True)
class Problem:
    """One cell (or, with an empty `field`, one row) that cannot be taken as it is.

    `column` and `value` are heading and cell as they stand in the file: for the eyes of the one who sent it, never
    kept. `hint` adds to the remedy what this very cell may have meant, or the row it collides with. `letter` is what a
    spreadsheet calls the column.
    """

    row: int
    field: str
    column: str
    value: str
    code: str
    hint: str = ""
    letter: str = ""

    @property
    def message(self) -> str:
        return CELL_PROBLEMS[self.code][0]

    @property
    def remedy(self) -> str:
        return CELL_PROBLEMS[self.code][1]


CELL_PROBLEMS: dict[str, tuple[str, str]] = {
    "not_called": (
        msg("This person has not been called yet."),
        msg("Call the roll, then send the list again."),
    ),
    "called_absent": (
        msg("This person was called and is not there."),
        msg("If the person is there after all, take that back in the roll call and send the list again."),
    ),
    "missing": (
        msg("This is missing."),
        msg("Write it in the list, or log this person with the form."),
    ),
    "too_long": (msg("This is too long."), msg("Shorten it; a name has at most 120 characters, other text 200.")),
    "odd_characters": (
        msg("There are characters in it that cannot be seen."),
        msg("Type the text again instead of pasting it."),
    ),
    "formula": (msg("This looks like a spreadsheet formula."), msg("Type the text itself.")),
    "error": (msg("The spreadsheet shows an error here."), msg("Type the text itself.")),
    "merged": (
        msg("This cell is merged with the one above."),
        msg("Split the merged cells and write into each what belongs there."),
    ),
    "sex_unknown": (msg("This is not a sex we know."), msg("Write L or P (or M, F, X).")),
    "tick_unclear": (msg("It is not clear whether this is ticked."), msg("Write V to tick it, or leave it empty.")),
    "ticked_twice": (msg("Both sexes are ticked."), msg("Leave one of the two empty.")),
    "date_unreadable": (
        msg("This date cannot be read."),
        msg("Write day, month and year, for example 5/8/1987 or 5 Agustus 1987."),
    ),
    "date_two_digit_year": (
        msg("The year has only two digits."),
        msg("Write it with four."),
    ),
    "date_impossible": (
        msg("There is no such day."),
        msg("The day comes first, then the month: 25/8/1987."),
    ),
    "date_month_first": (
        msg("The month seems to come first."),
        msg("The day comes first, then the month. Write the month as a word if you are not sure."),
    ),
    "date_maybe_swapped": (
        msg("A spreadsheet may have exchanged day and month."),
        msg("Other dates of this column came as text. Check the day and the month, and write the month as a word."),
    ),
    "date_in_future": (msg("This day is after the arrival."), msg("Check the year.")),
    "date_too_old": (
        msg("Nobody is older than 120 years."),
        msg("Check the year, or leave it empty when it is not known."),
    ),
    "age_unreadable": (msg("This is not an age."), msg("Write whole years, 0 to 120.")),
    "age_differs": (
        msg("The age does not go with the birth date."),
        msg("Correct one of the two, or leave the wrong one empty."),
    ),
    "nik_damaged": (
        msg("The spreadsheet has damaged this NIK: its last digits are lost."),
        msg("Format the column as text and type the number again, or leave it empty."),
    ),
    "nik_unreadable": (
        msg("A NIK has exactly 16 digits."),
        msg("Check it against the identity card, or leave it empty."),
    ),
    "nik_region_unknown": (
        msg("This NIK begins with a place that does not exist."),
        msg("Check the first six digits against the identity card, or leave it empty."),
    ),
    "nik_date_impossible": (
        msg("This NIK holds a birth date that does not exist."),
        msg("Check digits 7 to 12 against the identity card, or leave it empty."),
    ),
    "nik_other_sex": (
        msg("This NIK is of the other sex than the row says."),
        msg("Correct one of the two. It may be the NIK of another row; leave it empty when nobody can tell."),
    ),
    "nik_elsewhere": (
        msg("This NIK was given out in another regency than the origin that is stated."),
        msg("Ask where the person comes from. A NIK keeps the place of its first registration, so both may be right."),
    ),
    "nik_other_birth": (
        msg("This NIK says another birth date than the row."),
        msg("Correct one of the two. It may be the NIK of another row; leave it empty when nobody can tell."),
    ),
    "document_damaged": (
        msg("The spreadsheet has damaged this number: its last digits are lost."),
        msg("Format the column as text and type the number again."),
    ),
    "document_unreadable": (
        msg("This is not a document number."),
        msg("Write the letters and digits as they stand on the document."),
    ),
    "document_type_unknown": (
        msg("This kind of document is not known."),
        msg("Write SPLP, passport, border pass, identity card, other or none."),
    ),
    "regency_unknown": (
        msg("There is no such regency or city."),
        msg("Write its code (for example 73.06) or its full name (Kabupaten Gowa); leave it empty when not known."),
    ),
    "regency_ambiguous": (
        msg("A regency and a city share this name."),
        msg("Write Kabupaten or Kota before it, or the code."),
    ),
    "regency_shortened": (
        msg("The spreadsheet has shortened this code."),
        msg("Format the column as text: 73.10 is not 73.1."),
    ),
    "regency_needed": (
        msg("Only the province is given."),
        msg("Write the regency or city too, or leave both empty when it is not known."),
    ),
    "regency_other_province": (
        msg("This regency is not in that province."),
        msg("Correct one of the two."),
    ),
    "province_unknown": (msg("There is no such province."), msg("Write its code (73) or its name.")),
    "flag_unknown": (
        msg("This screening flag is not known."),
        msg("Use the codes of the needs, separated by spaces."),
    ),
    "wish_unknown": (
        msg("This wish is not known."),
        msg("Write go_home, stay_local or unknown (pulang, menetap, belum tahu)."),
    ),
    "companion_unknown": (
        msg("No row of this list has that number."),
        msg("A child counts as unaccompanied until an adult is linked. Write the number of the adult's row."),
    ),
    "companion_self": (
        msg("A person cannot accompany themselves."),
        msg("A child counts as unaccompanied until an adult is linked. Write the number of the adult's row."),
    ),
    "companion_child": (
        msg("Who is to accompany this child is a child, or may be one."),
        msg("A child counts as unaccompanied until an adult is linked. Write the number of the adult's row."),
    ),
    "companion_held": (
        msg("The row of who accompanies this person is held back."),
        msg("Correct that row and send the list again: then the two are linked."),
    ),
    "companion_far": (
        msg("Whom this person comes with stands too far away in this list, or among too many."),
        msg("A child counts as unaccompanied until an adult is linked. Link the two in their cases."),
    ),
    "letters_spoilt": (
        msg("Letters with accents are spoilt here: the file has two encodings in one."),
        msg("Write it as it should be:"),
    ),
    "seq_repeated": (
        msg("More than one row has that number."),
        msg("A child counts as unaccompanied until an adult is linked. Give every person a number of their own."),
    ),
    "person_repeated": (
        msg("Another row is the same person: same document, sex and birth date."),
        msg("Remove one of the two. If they are two people, log the second with the form."),
    ),
    "known_differently": (
        msg("This person seems to be taken in already, with other details."),
        msg("If it is the same person, correct the case itself. If they are two people, log this one with the form."),
    ),
    "logged_maybe": (
        msg("Somebody was logged one by one for this voyage who may be this person: same number, or name and birth."),
        msg("If it is the same person, leave this row out. If they are two people, log this one with the form."),
    ),
    "cells_missing": (
        msg("This row has fewer cells than the heading."),
        msg("It may be cut off. Add the missing cells, empty if need be."),
    ),
    "cells_left_over": (
        msg("This row has more cells than the heading."),
        msg("Put text that holds a separator into quotation marks."),
    ),
    "columns_unsaid": (
        msg("Nobody has said yet what the columns of this list are."),
        msg("Say it first; then this row is read."),
    ),
    "quotes_unmatched": (
        msg("The quotation marks in this row do not match."),
        msg("Close the open quotation mark, or remove both."),
    ),
}

FILE_PROBLEMS: dict[str, tuple[str, str]] = {
    "empty": (msg("This file is empty."), msg("Choose the list again.")),
    "encoding": (msg("This is not a text file we can read."), msg("Save it as CSV UTF-8.")),
    "too_large": (msg("The file is larger than %(most)s MiB."), msg("Split it into several lists.")),
    "unpacks_too_large": (
        msg("Unpacked, this workbook is larger than %(most)s MiB, or far larger than any list."),
        msg("Copy the rows of the list into a new workbook, or save it as CSV UTF-8."),
    ),
    "workbook_damaged": (
        msg("This looks like a workbook, but it cannot be read."),
        msg("Open it in Excel and save it again as XLSX, or save it as CSV UTF-8."),
    ),
    "encrypted": (
        msg("This workbook is protected with a password."),
        msg("Save it without a password, then send it again."),
    ),
    "old_spreadsheet": (
        msg("This is a workbook of an old kind (XLS)."),
        msg("In Excel choose Save as, then Excel Workbook (XLSX)."),
    ),
    "binary_workbook": (
        msg("This is a binary workbook (XLSB)."),
        msg("In Excel choose Save as, then Excel Workbook (XLSX)."),
    ),
    "open_document": (
        msg("This is a spreadsheet of LibreOffice (ODS)."),
        msg("Choose Save as, then Excel Workbook (XLSX)."),
    ),
    "document": (
        msg("This is a document for text, not a list."),
        msg("Copy the table and paste it here, or save it as XLSX or CSV."),
    ),
    "pdf": (
        msg("This is a PDF: what stands in which column cannot be told from it."),
        msg("Ask for the list as XLSX or CSV, or copy the table and paste it here."),
    ),
    "picture": (
        msg("This is a picture, not a list."),
        msg("Ask for the list as XLSX or CSV, or log the people with the form."),
    ),
    "archive": (msg("This is an archive of files, not a list."), msg("Unpack it and send the list that is in it.")),
    "web_page": (
        msg("This is a web page or XML, even if it is named XLS."),
        msg("Open it in Excel and save it as XLSX, or copy the table and paste it here."),
    ),
    "too_large_for_form": (
        msg("This list is too large for the form."),
        msg("Split it into several lists, or have it sent through the API."),
    ),
    "too_many_rows": (msg("The list has more than %(most)s rows."), msg("Split it into several lists.")),
    "too_many_columns": (
        msg("The list has more than %(most)s columns."),
        msg("Remove the empty columns at the right."),
    ),
    "too_many_cells": (
        msg("The workbook has more than %(most)s cells."),
        msg("Split it into several lists, or save it as CSV UTF-8."),
    ),
    "no_heading": (
        msg("No row with column headings was found."),
        msg(
            "Keep the list as a draft and say there what its columns are, or put headings like Nama, L/P, Tgl Lahir"
            " above the first person."
        ),
    ),
    "several_lists": (
        msg("There is more than one list in this workbook: %(names)s."),
        msg("Say which of its sheets you mean, or send each as a workbook of its own."),
    ),
    "list_hidden": (
        msg("The only list of this workbook is on a hidden sheet: %(names)s."),
        msg("Say that you mean this sheet, or show it in Excel and save the workbook again."),
    ),
    "worksheet_unknown": (
        msg("This workbook has no sheet of that name. It has: %(names)s."),
        msg("Write the name as it stands on the sheet's tab."),
    ),
    "columns_unsaid": (
        msg("Nobody has said yet what the columns of this list are."),
        msg("Say it first; until then nobody of it is recorded."),
    ),
    "heading_unsaid": (
        msg("Nobody has said which row holds the headings."),
        msg("Choose that row, or that there is none."),
    ),
    "heading_repeated": (
        msg("Two columns mean the same: %(first)s and %(second)s."),
        msg("Say which of them it is: keep the list as a draft, or remove one of them."),
    ),
    "heading_missing_full_name": (
        msg("There is no column with names."),
        msg("Keep the list as a draft and say there which column it is, or give it the heading Nama."),
    ),
    "heading_missing_sex": (
        msg("There is no column with the sex."),
        msg("Keep the list as a draft and say there which column it is, or give it the heading L/P."),
    ),
    "heading_missing_birth_date": (
        msg("There is no column with birth dates or ages."),
        msg(
            "Keep the list as a draft and say there which column it is, or give it the heading Tgl Lahir or Umur; cells"
            " may be empty where it is not known."
        ),
    ),
}
