"""The built-in protocols, for those that build on one of them. Imports content, when it is asked for something.

    from gossiplab.builtin import hyparview

    class Plumtree(hyparview.HyParView): ...

What comes is the module of the built-in file, wherever it is installed, and never that of a user's file of
the same name: a copy of plumtree.py runs on the HyParView that it was written for.
"""

import sys
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    from gossiplab.content import content_folder, load_module

    path = content_folder("protocols") / f"{name}.py"
    if name.startswith("_") or not path.is_file():
        raise AttributeError(f"gossiplab has no built-in protocol {name!r}")
    module_name = f"{__name__}.{name}"
    return sys.modules.get(module_name) or load_module(path, module_name)
