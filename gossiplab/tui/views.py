"""The views of a run, in the order of their number keys. The first is the stage. Imports the views."""

from gossiplab.tui.beliefs import BeliefMatrix
from gossiplab.tui.charts import Charts
from gossiplab.tui.data import DataView
from gossiplab.tui.log import Log
from gossiplab.tui.repairs import RepairView
from gossiplab.tui.spacetime import SpaceTime
from gossiplab.tui.stage import Stage
from gossiplab.tui.view import View

VIEWS: tuple[type[View], ...] = (Stage, BeliefMatrix, Charts, Log, SpaceTime, DataView, RepairView)
