"""Screens above the lab. Imports Textual."""

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

T = TypeVar("T")


class Modal(ModalScreen[T]):
    """A screen above another.

    It is dismissed once: for Textual whoever asks for it again, as a double click does, dismisses what lies below.
    """

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Part of Screen."""
        return super().dismiss(result) if self.is_active else AwaitComplete.nothing()
