"""Whether the lab is drawn in a browser, by way of textual-serve, instead of in a terminal. Imports nothing."""

import os


def in_browser() -> bool:
    """Whether textual-serve started this process: its app has no terminal and needs none."""
    return os.environ.get("TEXTUAL_DRIVER", "").startswith("textual.drivers.web_driver:")
