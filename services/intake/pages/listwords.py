"""What pages say of the file that a list came in."""

from services.intake.domain.refusals.manifests import ManifestUnusable
from shared.kit import web, words
from shared.kit.words import Language, msg

MOST_BYTES = 4 << 20
"""What a page takes; longer lists go through the API."""
SEPARATORS = {";": msg("semicolon"), ",": msg("comma"), "\t": msg("tab"), "|": msg("vertical bar")}
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "cp1252": "Windows-1252",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
ABOUT_THE_WORKSHEET = ("several_lists", "list_hidden", "worksheet_unknown")


def unusable_file(language: Language, unusable: ManifestUnusable) -> web.FieldProblem:
    """The refusal of a whole file, at the field where it can be mended."""
    return web.FieldProblem(
        "worksheet" if unusable.code in ABOUT_THE_WORKSHEET else "file",
        words.translate(language, unusable.message, **unusable.details),
        words.translate(language, unusable.remedy),
    )
