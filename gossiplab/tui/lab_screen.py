"""The lab screen: shows a session, live or recorded, and turns keys into what is done to it.

Thirty times a second it lets the session advance and hands the World in view to its widgets. Imports the
widgets, session and commands; knows neither lab nor file.
"""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus, Resize
from textual.geometry import Offset
from textual.screen import Screen
from textual.widgets import Static

from gossiplab.commands import AnyCommand, Heal, Inject, Kill, Leave, Partition, Rejoin, parse_command
from gossiplab.errors import GossiplabError
from gossiplab.text import visible
from gossiplab.tui.banner import Banner
from gossiplab.tui.compare import Compare
from gossiplab.tui.data import DataView
from gossiplab.tui.deeds import Deeds
from gossiplab.tui.editor import protocol_file
from gossiplab.tui.explain import Explain
from gossiplab.tui.keybar import KeyBar
from gossiplab.tui.keys import bindings
from gossiplab.tui.legend import Legend
from gossiplab.tui.message_menu import MessageMenu, describe
from gossiplab.tui.notice import Notice
from gossiplab.tui.outlook import Target, why_not
from gossiplab.tui.palette import LabCommands, Typed
from gossiplab.tui.panel import Panel
from gossiplab.tui.run_name import line_for
from gossiplab.tui.selection import PickedLink, PickedMessage, PickedNode, Selection
from gossiplab.tui.session import Session
from gossiplab.tui.stage import Stage
from gossiplab.tui.status import Status
from gossiplab.tui.tabs import Tabs
from gossiplab.tui.timeline import Timeline
from gossiplab.tui.tracks import Tracks
from gossiplab.tui.tree import ways
from gossiplab.tui.view import Scene, View
from gossiplab.tui.views import VIEWS
from gossiplab.world.world import World

FRAME = 1 / 30  # s between two pictures
_FRAMES_A_WORD = 3  # as many as there are turns in `draw`
LEAST_WIDTH, LEAST_HEIGHT = 40, 12
_WIDE = 100  # columns from which there is room for the panel
_ONE_FUTURE = "there is one future only: act while you look at the past to begin another."
_LONGEST_KEY = 1000  # characters of a key that a command is begun with
_LONGEST_GAP = 0.2  # s of real time; after a longer one, as when the machine slept, a replay does not leap


class LabScreen(Screen[None]):
    """A run on the screen, with all its futures. on_failure: told when a lab breaks down, which is our fault."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(),
        *(Binding(str(number + 1), f"view({number})", show=False) for number in range(len(VIEWS))),
    ]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {LabCommands}

    def __init__(self, tracks: Tracks, on_failure: Callable[[BaseException], None]) -> None:
        super().__init__()
        self.tracks = tracks
        self._deeds = Deeds(tracks, on_failure, self.run_worker, self._say)
        self._opened = False
        self.left = False  # whether another run is about to be shown
        self._details: bool | None = None  # whether the user wants the panel; None: as there is room
        self._sought: float | None = None
        self._picked: Selection | None = None  # a link or a message that is looked at
        self._drawn = perf_counter()
        self._frames = 0
        self.tracing = False  # whether the stage shows who told whom

    @property
    def session(self) -> Session:
        """The future that is shown."""
        return self.tracks.session

    def compose(self) -> ComposeResult:
        # straight on the screen, each split off from what is left: every box around them costs time in each frame
        yield Status(id="status")
        yield Tabs(id="tabs")
        yield KeyBar(id="keys")
        yield Timeline(id="timeline")
        yield Banner(id="banner")
        yield Panel(id="panel")
        yield Legend(id="legend")
        for number, view in enumerate(VIEWS):
            yield view(id=view.title, classes="view" if number else "view -shown")
        yield MessageMenu(id="menu")
        yield Notice(id="notice")
        small = f"this window is too small for the lab: make it at least {LEAST_WIDTH} by {LEAST_HEIGHT}"
        yield Static(Content(small), id="small")

    def on_mount(self) -> None:
        self.views = list(self.query(View))
        self.view = self.views[0]  # the one that is shown
        self.stage = self.query_one(Stage)
        self.timeline = self.query_one(Timeline)
        self._status = self.query_one(Status)
        self._panel = self.query_one(Panel)
        self._banner = self.query_one(Banner)
        self.notice = self.query_one(Notice)
        self._keys = self.query_one(KeyBar)
        self._tabs = self.query_one(Tabs)
        self._legend = self.query_one(Legend)
        self.menu = self.query_one(MessageMenu)
        self._data = self.query_one(DataView)
        self.set_focus(self.stage)
        self.beat = self.set_interval(FRAME, self.frame)

    # pictures ----------------------------------------------------------------------------------

    def frame(self) -> None:
        """Let the time pass that has passed, and draw."""
        now = perf_counter()
        self.session.advance(min(now - self._drawn, _LONGEST_GAP))
        self._drawn = now
        if self._sought is not None:
            t, self._sought = self._sought, None
            self._try(lambda: self.session.seek(t))
        for each in self._deeds.waiting():
            self._act(each)
        self._frames += 1
        self.draw(self._frames % _FRAMES_A_WORD if self.session.running else None)

    def draw(self, turn: int | None = None) -> None:
        """Draw the session's view as it is: what moves, and the words whose turn it is; None: all of it.

        Words and figures that run are read at most ten times a second. They take turns, because a frame in which
        all of them changed would come late.
        """
        if self.left:
            return
        session = self.session
        world = session.world
        if not self._opened:
            if not session.latest.events:
                return  # the first event says who is linked with whom
            self._opened = True
            experiment = session.header.experiment
            self.stage.open(experiment.nodes, session.latest.edges, experiment.seed)
        stage = self.stage
        if stage is self.view:
            self._trace(world)
        words = turn in (None, 0)
        self.view.show(Scene(session, world, session.t, stage.selected, stage.marked, words, self.picked))
        if words:
            self._status.show(session)
            self._banner.show(session.trouble, world)
        if turn in (None, 1):
            self.timeline.show(session.latest, session.t, session.end, session.growing, self.tracks.second)
        if turn in (None, 2):
            if self._panel.display:
                self._panel.show(session, self.picked, self.view)
            self._legend.show(self.stage)

    def on_resize(self, event: Resize) -> None:
        small = event.size.width < LEAST_WIDTH or event.size.height < LEAST_HEIGHT
        self.set_class(small, "-small")
        self._arrange(event.size.width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Part of DOMNode: who sees nothing of the lab shall do nothing to it."""
        return not (self.left or self.has_class("-small"))

    def leave(self) -> None:
        """Another run is about to be shown: draw nothing and do nothing from now on."""
        self.left = True
        self.beat.stop()

    def _arrange(self, width: int) -> None:
        details = width >= _WIDE if self._details is None else self._details
        self.set_class(details, "-details")

    # time --------------------------------------------------------------------------------------

    def action_pause(self) -> None:
        self._try(self.session.toggle)

    def action_step(self, events: int) -> None:
        self._try(lambda: self.session.step(events))

    def action_speed(self, steps: int) -> None:
        self._try(lambda: self.session.change_speed(steps))

    def action_live(self) -> None:
        self._try(self.session.go_live)

    def action_begin(self) -> None:
        self._try(lambda: self.session.seek(0.0))

    def action_notable(self, step: int) -> None:
        """Look at the next instant (1) at which something notable happened, or the one before (-1)."""
        session = self.session
        instants = session.latest.notable()
        after = [t for t in instants if t > session.t]
        before = [t for t in instants if t < session.t]
        if step > 0 and after:
            self._try(lambda: session.seek(after[0]))
        elif step < 0 and before:
            self._try(lambda: session.seek(before[-1]))
        else:
            self.notice.say(f"nothing notable happened {'after' if step > 0 else 'before'} this.")

    def action_timeline(self) -> None:
        self.set_focus(self.view if self.focused is self.timeline else self.timeline)

    @on(Timeline.Sought)
    @on(View.Sought)
    def _seek(self, event: Timeline.Sought | View.Sought) -> None:
        self._sought = event.t  # at the next frame: a drag may ask for more instants than can be folded

    # views -------------------------------------------------------------------------------------

    def action_view(self, number: int) -> None:
        """Show another view, counted from 0."""
        if number < len(self.views):
            self.view.remove_class("-shown")
            self.view = self.views[number].add_class("-shown")
            self._tabs.current = number
            self.set_class(self.view is not self.stage, "-no-stage")
            self.set_focus(self.view)
            self.draw()

    def action_tree(self) -> None:
        """Show on the stage who told whom, or the lab's links again."""
        self.tracing = not (self.tracing and self.view is self.stage)
        self.action_view(0)

    def _trace(self, world: World) -> None:
        """Hand the stage the ways of the rumor, as far as it has got."""
        found = ways(world, len(world.rumors) - 1, self.stage.selected) if self.tracing else None
        self.stage.trace, self.stage.path = (found.tree, found.path) if found else (None, ())

    def explanation(self) -> Explain:
        """About what has the focus."""
        if self.focused is self.timeline:
            return Explain("timeline", Timeline.about)
        if self.focused is self._legend:
            return Explain("legend", Legend.about)
        world, t = self.session.world, self.session.t
        if self.menu.display and (flight := world.flights.get(self.menu.about)):
            return Explain(f"message m{flight.id}", describe(world, t, flight))
        return Explain(self.view.title, self.view.about)

    # messages ----------------------------------------------------------------------------------

    def action_point(self, step: int) -> None:
        """Point at the next message of the selected node."""
        if self.view is not self.stage:
            self.notice.say("messages are pointed at on the stage: press 1 first.")
        elif not self.stage.point_next(step):
            of = "" if self.stage.selected is None else f" to or from n{self.stage.selected}"
            self.notice.say(f"no message{of} is in flight: wait for one, or select another node.")

    @on(Stage.Pointed)
    def _point(self, event: Stage.Pointed) -> None:
        """Stand still, and offer what can be done to a message."""
        flight = self.session.world.flights.get(event.id)
        if flight is None:
            return  # it has arrived since the picture was drawn
        if self.session.running:
            self._try(self.session.toggle)
        self.stage.chosen = event.id
        place = self.stage.place(event.id) or self.stage.size.region.center
        at = self.stage.region.offset + Offset(int(place[0]), int(place[1]))
        self.menu.open(self.session.world, self.session.t, flight, at, self.size)

    @on(MessageMenu.Chosen)
    async def _do_to_message(self, event: MessageMenu.Chosen) -> None:
        if event.deed == "inspect":
            self.post_message(View.Picked(PickedMessage(event.about)))
            await self.run_action("app.explain")
            return
        self._close_menu()
        if event.deed == "delay":
            await self.run_action(f"app.command_palette('delay m{event.about} 1')")
        else:
            self.post_message(Typed(f"{event.deed} m{event.about}"))

    @on(MessageMenu.Closed)
    def _close_menu(self) -> None:
        if self.menu.display:
            self.menu.display = False
            self.stage.chosen = None
            self.set_focus(self.view)

    def action_legend(self) -> None:
        if self.view is not self.stage:
            return
        if self.focused is self._legend or self._legend.kinds:
            self.set_focus(self.view if self.focused is self._legend else self._legend)
        else:
            self.notice.say("no message is in sight that could be muted.")

    @on(Legend.Muted)
    def _mute(self, event: Legend.Muted) -> None:
        self.stage.muted ^= {event.kind}
        self._legend.show(self.stage)

    def action_order(self) -> None:
        """Let the nodes stand in another way."""
        if self.view is self.stage:
            self.notice.say(f"the nodes stand in {self.stage.rearrange().value}.")

    # nodes -------------------------------------------------------------------------------------

    @property
    def picked(self) -> Selection | None:
        """What the panel is about: the link or message that was picked last, or else the selected node."""
        node = self.stage.selected
        return self._picked or (None if node is None else PickedNode(node))

    @property
    def target(self) -> Target:
        """Whom a command would be about: the marked nodes; without any, the selected one."""
        nodes = tuple(sorted(self.stage.marked))
        if not nodes and self.stage.selected is not None:
            nodes = (self.stage.selected,)
        return Target(nodes, self.picked, self.copy[0])

    @property
    def copy(self) -> tuple[str, int]:
        """The key and the node that are chosen in the data view."""
        # an input draws what it holds as it is, and keys may be a stranger's
        return visible(self._data.key, _LONGEST_KEY), self._data.cursor[1]

    @on(View.Selected)
    def _selected(self, event: View.Selected) -> None:
        self.stage.selected, self._picked = event.node, None
        self.draw()

    @on(View.Picked)
    def _pick(self, event: View.Picked) -> None:
        """Look at a link or a message. Keys go on acting on the selected node."""
        if isinstance(event.picked, PickedNode):
            self.stage.selected, self._picked = event.picked.node, None
        else:
            self._picked = event.picked
        self.draw()

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _focus_moved(self) -> None:
        self._keys.scrubbing = self.focused is self.timeline

    def action_arrow(self, dx: int, dy: int) -> None:
        if self.focused is not self.timeline:
            self.stage.select_towards(dx, dy)
        elif dx:
            self._try(lambda: self.session.seek(self.session.t + dx * self.timeline.column))
        else:
            self.set_focus(self.view)

    def action_select(self, step: int) -> None:
        self.set_focus(self.view)
        self.stage.select_next(step)

    def action_link(self) -> None:
        """Look at the next link of the selected node."""
        link = self.stage.next_link(self._picked if isinstance(self._picked, PickedLink) else None)
        if self.stage.selected is None:
            self.notice.say(
                "no node is selected: choose one with tab, the arrows or a click, then look at its links."
            )
        elif link is None:
            self.notice.say(f"n{self.stage.selected} has no links.")
        else:
            self._picked = link
            self.notice.say(
                f"the link between n{link.a} and n{link.b}: {'' if self._panel.display else 'd shows all about it, '}"
                "f offers to shape it, e goes on to the next one."
            )
            self.draw()

    def action_mark(self) -> None:
        node = self.stage.selected
        if node is None:
            self.notice.say("no node is selected: choose one with tab, the arrows or a click, then mark it.")
        else:
            self.stage.marked ^= {node}

    def action_clear(self) -> None:
        if self.focused is self._legend:
            self.set_focus(self.view)
        elif self._banner.close():
            self._try(self.session.go_on)
        else:
            self.stage.marked, self._picked = frozenset(), None
            self.set_focus(self.view)

    def action_details(self) -> None:
        self._details = not self.has_class("-details")
        self._arrange(self.size.width)

    # acting ------------------------------------------------------------------------------------

    def why_not(self, action: str) -> str | None:
        """One sentence that says why a key's action would change nothing now; None when it may."""
        verb = action.removeprefix("app.")
        if verb in ("kill", "rejoin", "leave", "partition", "inject", "mark") and not self.target.nodes:
            return "no node is selected: choose one with tab, the arrows or a click."
        if verb in ("kill", "rejoin", "leave", "partition", "inject", "heal"):
            return why_not(verb, self.session, self.target)
        if verb in ("restart", "edit") and not self._banner.crash:
            return "no node was stopped by its own protocol."
        if verb in ("other", "compare") and len(self.tracks.all) == 1:
            return _ONE_FUTURE
        return None

    def action_kill(self) -> None:
        self._act_on_nodes("kill", Kill)

    def action_rejoin(self) -> None:
        self._act_on_nodes("rejoin", Rejoin)

    def action_leave(self) -> None:
        self._act_on_nodes("leave", Leave)

    def action_partition(self) -> None:
        self._act_on_nodes("split off", Partition)

    def action_heal(self) -> None:
        self._act(Heal())

    def action_restart(self) -> None:
        """Let the node that its own protocol stopped begin again."""
        if crash := self._banner.crash:
            if self._act(Rejoin((crash.node,), fresh=True)):
                self._banner.close()
                self.session.go_on()
        else:
            self.notice.say(
                "no node was stopped by its own protocol: to start one again, select it and press r."
            )

    def edit(self, edit: Callable[[Path, int], None]) -> None:
        """Open the protocol's file at the line where it failed, with `edit`."""
        if crash := self._banner.crash:
            if self._try(lambda: edit(protocol_file(self.session.protocol, crash.file), crash.line)):
                self.notice.say(
                    "this lab goes on with the protocol as it was: open a new one to run your change."
                )
        else:
            self.notice.say("no node was stopped by its own protocol: there is no line to open.")

    def action_inject(self) -> None:
        node = self.stage.selected
        if node is None:
            self.notice.say("no node is selected: choose the one that shall hear the rumor first.")
        else:
            self._act(Inject(node))

    def fault_chosen(self, text: str | None) -> None:
        """Do what was written in the form for faults."""
        if text is not None and self._write(text):
            self.stage.marked = frozenset()

    def write_chosen(self, text: str | None) -> None:
        """Do what was written in the form for a write."""
        if text is not None:
            self._write(text)

    @on(Typed)
    def _obey(self, event: Typed) -> None:
        self._write(event.text)

    @on(View.Acted)
    def _obey_view(self, event: View.Acted) -> None:
        self._write(*event.commands)

    def _write(self, *texts: str) -> bool:
        """Act as somebody has written it, all at one instant."""
        return self._try(
            lambda: self._deeds.do(*(parse_command(text, self.session.roster()) for text in texts))
        )

    def _act_on_nodes(self, what: str, command: "Callable[[tuple[int, ...]], AnyCommand]") -> None:
        """Act on the marked nodes, whose marks are then used up; without any, on the selected one."""
        nodes = self.target.nodes
        if not nodes:
            self.notice.say(f"no node to {what}: choose one with tab, the arrows or a click.")
        elif self._act(command(nodes)):
            self.stage.marked = frozenset()

    def _act(self, command: AnyCommand) -> bool:
        return self._try(lambda: self._deeds.do(command))

    # futures -----------------------------------------------------------------------------------

    async def action_other(self) -> None:
        if len(self.tracks.all) == 1:
            self.notice.say(_ONE_FUTURE)
            return
        self.notice.hush()
        try:
            await self.tracks.turn()
        except GossiplabError as error:
            self.notice.say(str(error))

    def hold_still(self) -> None:
        """Let a look at the past stand: another future begins at the instant at which somebody wanted it."""
        if self.session.running and not self.session.present:
            self.session.toggle()

    def comparison(self) -> Compare | None:
        """The tracks side by side; None where there is but one."""
        if len(self.tracks.all) > 1:
            return Compare(self.tracks)
        self.notice.say(_ONE_FUTURE)
        return None

    def line(self) -> str | None:
        """The line that gives this run again, as far as it is recorded; None where there is none, which is said."""
        try:
            return line_for(self.session)
        except GossiplabError as error:
            self.notice.say(str(error))
            return None

    def _say(self, text: str) -> None:
        self.notice.say(text)

    def _try(self, action: Callable[[], None]) -> bool:
        """Do something; what makes it impossible is said. Whether it was done."""
        try:
            action()
        except GossiplabError as error:
            self.notice.say(str(error))
            return False
        self.notice.hush()
        self.draw()
        return True
