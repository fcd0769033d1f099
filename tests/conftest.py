"""What all tests share."""

import gc

import pytest


def pytest_collection_finish():
    """What is loaded by now stays: it is not looked through for garbage again and again, which took a sixth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory):
    """Every run is recorded: not into the home of whoever runs the tests, neither from here nor from a subprocess."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.delenv("PYTHONUNBUFFERED", raising=False)  # what is not written must not fail when Python exits
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        yield


@pytest.fixture
def anyio_backend() -> str:
    """The app lives on asyncio, and so do its tests."""
    return "asyncio"
