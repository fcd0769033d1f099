"""What all tests share."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory):
    """Every run is recorded: not into the home of whoever runs the tests, neither from here nor from a subprocess."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        yield


@pytest.fixture
def anyio_backend() -> str:
    """The app lives on asyncio, and so do its tests."""
    return "asyncio"
