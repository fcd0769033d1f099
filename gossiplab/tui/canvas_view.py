"""A view whose picture is one canvas of cells, drawn when there is something new and kept until then. Imports canvas, view."""

from rich.style import Style
from textual.strip import Strip

from gossiplab.tui.canvas import Canvas
from gossiplab.tui.view import View


class CanvasView(View):
    """Base of such views. They draw on `_canvas` with the styles of `_palette`, and put what comes of it into `_strips`.

    _drawn: what was drawn last, for a view to see whether it has to draw again; None: nothing yet.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._drawn: object = None
        self._strips: list[Strip] = []
        self._canvas = Canvas(0, 0)
        self._palette: list[Style] = []

    def on_resize(self) -> None:
        self._repaint()

    def notify_style_update(self) -> None:
        """Part of Widget: the theme or the stylesheet changed."""
        super().notify_style_update()
        self._palette = []
        self._canvas.forget()
        self.call_later(self._repaint)  # by then the component classes have been brought up to date too

    def render_line(self, y: int) -> Strip:
        """Part of Widget."""
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _repaint(self) -> None:
        """Draw again, whatever was drawn."""
        self._drawn = None
        self._paint()

    def _paint(self) -> None:
        """Draw, if there is something to be drawn."""
        raise NotImplementedError
