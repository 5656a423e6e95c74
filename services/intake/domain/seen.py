"""In which row something stood first, for a million rows and more in little memory."""

from array import array

BITS = (1 << 64) - 1


class Seen:
    """Remembers of each thing the number of the row where it came first: 12 bytes a place, twice as many as things.

    Two things are taken for one when 64 bits of their hashes agree: of a million, once in 37 million lists. Hashes are
    other ones in each process, so nobody can choose things that agree.
    """

    def __init__(self) -> None:
        self._marks = array("Q", bytes(8 << 10))
        self._rows = array("I", bytes(4 << 10))
        self._count = 0

    def first(self, thing: tuple[str, ...], row: int) -> int:
        """The row where this thing stood first: this one, when it was not seen before."""
        mark = hash(thing) & BITS or 1
        place = self._place(mark)
        if self._marks[place]:
            return self._rows[place]
        self._marks[place], self._rows[place] = mark, row
        self._count += 1
        if self._count * 2 > len(self._marks):
            self._grow()
        return row

    def _place(self, mark: int) -> int:
        places = len(self._marks)
        place = mark % places
        while self._marks[place] not in (0, mark):
            place = (place + 1) % places
        return place

    def _grow(self) -> None:
        marks, rows = self._marks, self._rows
        self._marks = array("Q", bytes(16 * len(marks)))
        self._rows = array("I", bytes(8 * len(rows)))
        for mark, row in zip(marks, rows, strict=True):
            if mark:
                place = self._place(mark)
                self._marks[place], self._rows[place] = mark, row
