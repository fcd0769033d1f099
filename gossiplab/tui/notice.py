"""The notice: one sentence to the user that stands over the stage for a moment. Imports text.

Not a Textual toast: a toast covers the keys, and four wrong keys in a row make four of them.
"""

from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from gossiplab.text import visible

_STAYS = 6.0  # s of real time; enough to read two lines


class Notice(Static):
    """What the user has to know now. said: the sentence that was said last, also when it is gone."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.said = ""
        self._timer: Timer | None = None

    def say(self, sentence: str) -> None:
        """Show a sentence, in place of the one before."""
        self.hush()
        self.said = visible(sentence, 400)
        self.update(Content(self.said))
        self.display = True
        self._timer = self.set_timer(_STAYS, self.hush)

    def hush(self) -> None:
        """Take the sentence away."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.display = False
