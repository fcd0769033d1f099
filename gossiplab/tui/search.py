"""The search: which events pass a filter, found a slice at a time. Imports chronicle and filter.

The newest segment is searched first, then the ones before it, and always first what is new, so that what a person
most likely wants is there at once, however long the recording. A search never holds up a frame.
"""

from array import array
from time import perf_counter

from gossiplab.tui.chronicle import Chronicle, Entry, Segment
from gossiplab.tui.filter import Test

_MOST_KEPT = 20_000  # entries that need not be read again when they are shown


class Search:
    """matches: the numbers of the events that pass, in order. entries: the first of them that were found, by number."""

    def __init__(self, chronicle: Chronicle, test: Test) -> None:
        self.matches = array("Q")
        self.entries: dict[int, Entry] = {}
        self._chronicle = chronicle
        self._test = test
        self._low: int = self._start()  # from here up to `_high` all is searched
        self._high: int = self._low
        self._segment: Segment | None = None  # the one that is being searched, below `_low`
        self._at = 0  # the event in it that is next
        self._found = array("Q")  # in it

    def _start(self) -> int:
        """Where the newest segment begins."""
        last = max(0, self._chronicle.length - 1)
        return last - last % self._chronicle.length_of_segment

    @property
    def progress(self) -> float:
        """The fraction of all events that have been searched."""
        searched = self._high - self._low + (self._at - self._segment.first if self._segment else 0)
        return searched / self._chronicle.length if self._chronicle.length else 1.0

    @property
    def done(self) -> bool:
        """Whether everything that has happened is searched."""
        return self._low == 0 and self._high >= self._chronicle.length

    def step(self, seconds: float) -> None:
        """Search on for so many seconds. Raises GossiplabError when the recording is corrupted."""
        until = perf_counter() + seconds
        while self._high < self._chronicle.length:
            segment = self._chronicle.segment(self._high)
            self._high = self._search(segment, self._high, self._chronicle.length, until, self.matches)
            if perf_counter() > until:
                return
        while self._low > 0 and perf_counter() < until:
            if self._segment is None:
                self._segment = self._chronicle.segment(self._low - 1)
                self._at, self._found = self._segment.first, array("Q")
            self._at = self._search(self._segment, self._at, self._low, until, self._found)
            if self._at >= self._low:
                self.matches = self._found + self.matches
                self._low, self._segment = self._segment.first, None

    def _search(self, segment: Segment, start: int, stop: int, until: float, found: "array[int]") -> int:
        """Search a segment from event `start`, until time is up. How far it came."""
        self._chronicle.read(segment, stop, until - perf_counter())
        stop = max(start, min(stop, segment.read))
        test, entries = self._test, self.entries
        for number in range(start, stop):
            entry = segment.entry(number)
            if test(entry.event, entry.message):
                found.append(number)
                if len(entries) < _MOST_KEPT:
                    entries[number] = entry
            if not number % 256 and perf_counter() > until:
                return number + 1
        return stop
