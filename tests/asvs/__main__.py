"""`make asvs`: write docs/asvs.md anew."""

import sys

from tests.asvs import matrix

if __name__ == "__main__":
    try:
        matrix.DOCUMENT.write_text(matrix.document(matrix.read()), encoding="utf-8")
    except matrix.Unsound as unsound:
        sys.exit(str(unsound))
