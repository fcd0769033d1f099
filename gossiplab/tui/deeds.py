"""Deeds: what a person does to a lab, in the order in which they do it. Imports tracks.

In the present it is done at once, in the past it begins another future, and what is done while a future is being
made waits for it.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from gossiplab.commands import AnyCommand
from gossiplab.errors import GossiplabError
from gossiplab.tui.tracks import Tracks


class Deeds:
    """The deeds of one screen.

    on_failure: told when a lab breaks down. later: runs what takes its time. say: tells the person one sentence.
    """

    def __init__(
        self, tracks: Tracks, on_failure: Callable[[BaseException], None],
        later: Callable[[Coroutine[Any, Any, None]], object], say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._tracks = tracks
        self._on_failure = on_failure
        self._later = later
        self._say = say
        self._making = False  # whether another future is being made
        self._waiting: list[AnyCommand] = []

    def do(self, *commands: AnyCommand) -> None:
        """Do all of this at one instant. Raises GossiplabError when it cannot be done."""
        session = self._tracks.session
        if self._making or session.repeating:
            self._waiting += commands
        elif session.present:
            session.act(*commands)
        else:
            self._making = True
            self._later(self._fork(*commands))

    def waiting(self) -> list[AnyCommand]:
        """What has waited and may be done now, one after the other."""
        if self._making or self._tracks.session.repeating:
            return []
        waiting, self._waiting = self._waiting, []
        return waiting

    async def _fork(self, command: AnyCommand, *others: AnyCommand) -> None:
        tracks = self._tracks
        t = tracks.session.t
        try:
            await tracks.fork(command, self._on_failure, *others)
        except GossiplabError as error:
            self._say(str(error))
        else:
            letter = tracks.all[tracks.current].letter
            self._say(
                f"from {t:.3f} s on this is another future, {letter}: press o for the one before, c to compare."
            )
        finally:
            self._making = False
