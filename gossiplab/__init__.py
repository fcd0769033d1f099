"""gossiplab: a laboratory for gossip protocols that opens in a terminal.

These are the names a protocol file needs; everything else is in the package's modules.
"""

from gossiplab.experiment import Cycle
from gossiplab.protocol import Message, Protocol, Timer, every, param

__all__ = ["Cycle", "Message", "Protocol", "Timer", "every", "param"]
__version__ = "0.1.0"
