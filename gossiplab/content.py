"""Where the built-in protocols and recordings are, and how a protocol is loaded. Imports protocol and errors.

Code is only ever loaded from the built-in folder or from a folder or file that the user named: never
because a recording says so.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from gossiplab.errors import ProtocolError, UserError, fault_line
from gossiplab.protocol import Protocol

_PACKAGE = Path(__file__).parent
_MODULE = "gossiplab_protocol_"  # what the names of protocols' modules begin with


def content_folder(name: str) -> Path:
    """The folder of the built-in "protocols" or "recordings": inside a wheel, or beside the package in a checkout."""
    shipped = _PACKAGE / "_content" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def protocol_files(folders: tuple[Path, ...] = ()) -> dict[str, Path]:
    """All protocol files by name: the built-in ones, then those in `folders`, which may replace them."""
    files: dict[str, Path] = {}
    for folder in (content_folder("protocols"), *folders):
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}: name one that holds protocol files.")
        for path in sorted(folder.glob("[!_]*.py")):
            files[path.stem] = path
    return files


def load_protocol(name: str, folders: tuple[Path, ...] = ()) -> type[Protocol]:
    """The protocol called `name`. Raises UserError when there is none, ProtocolError when its file is broken."""
    files = protocol_files(folders)
    path = files.get(name)
    if path is None:
        raise UserError(
            f"there is no protocol {name!r}: choose one of {', '.join(sorted(files))}, or give --protocols FOLDER."
        )
    return load_protocol_file(path)


def own_folder(protocol: type[Protocol]) -> Path | None:
    """The folder that a protocol was loaded from; None for a built-in one."""
    file: str | None = getattr(sys.modules.get(protocol.__module__), "__file__", None)
    folder = None if file is None else Path(file).parent
    return None if folder is None or folder == content_folder("protocols") else folder


def any_own() -> bool:
    """Whether a protocol has been loaded, or has begun to be, that is no built-in one."""
    files = [
        getattr(module, "__file__", None)
        for name, module in sys.modules.copy().items()
        if name.startswith(_MODULE)
    ]
    return any(file is not None and Path(file).parent != content_folder("protocols") for file in files)


def load_recorded(name: str, own: bool, folders: tuple[Path, ...] = ()) -> type[Protocol]:
    """The protocol of a recording; own: whether it says that this was no built-in one. Raises as `load_protocol` does."""
    protocol = load_protocol(name, folders)
    if own and own_folder(protocol) is None:
        raise UserError(
            f"this was the run of a protocol of somebody's own, also called {name!r}: give --protocols FOLDER with its file."
        )
    return protocol


def load_protocol_file(path: Path) -> type[Protocol]:
    """The one Protocol class that a file defines. Raises ProtocolError with file, line and what to do."""
    module_name = f"{_MODULE}{path.stem}"
    module = load_module(path, module_name)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Protocol) and value.__module__ == module_name
    ]
    if not classes:
        raise ProtocolError(f"{path} defines no protocol: add a class derived from gossiplab.Protocol.")
    return classes[-1]


def load_module(path: Path, name: str) -> ModuleType:
    """Execute a file as the module `name`. Raises ProtocolError with file, line and what to do."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProtocolError(f"{path} is no Python file: give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # msgspec looks annotations up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        line = fault_line(error, spec.origin or str(path))
        place = f"{path}, line {line}," if line else f"{path}"
        raise ProtocolError(
            f"{place} cannot be loaded, mend it there: {type(error).__name__}: {error}."
        ) from error
    return module
