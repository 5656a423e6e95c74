"""Progress on standard error: one line that is redrawn on a terminal, else one line per step."""

import sys
import time
from types import TracebackType
from typing import TextIO


class Progress:
    """Says what is being done. `step` begins something new, `more` updates it."""

    def __init__(self, out: TextIO = sys.stderr) -> None:
        self._out = out
        self._redraw = out.isatty()
        self._began = time.monotonic()
        self._step = ""

    def step(self, text: str) -> None:
        if self._redraw and self._step:
            self._out.write("\n")
        self._step = text
        self._write(text)

    def more(self, detail: str) -> None:
        """Add a detail to the current step; shown on terminals only, a log needs no flicker."""
        if self._redraw:
            self._write(f"{self._step} · {detail}")

    def _write(self, text: str) -> None:
        line = f"{time.monotonic() - self._began:5.1f} s  {text}"
        self._out.write(f"\r\x1b[2K{line[:150]}" if self._redraw else f"{line}\n")
        self._out.flush()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._redraw and self._step:
            self._out.write("\n")
            self._out.flush()
