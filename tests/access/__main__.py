"""`make access`: write docs/access.md anew."""

from pathlib import Path

from tests.access import matrix

DOCUMENT = Path(__file__).parents[2] / "docs" / "access.md"

if __name__ == "__main__":
    DOCUMENT.write_text(matrix.document(), encoding="utf-8")
