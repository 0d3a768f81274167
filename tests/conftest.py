"""What holds for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Compiled cells are kept beside what pytest keeps, from one run of the tests to the next.

    Not in a fixture, since the lists of what is tested ask for a compiler and a folder already.
    """
    if not config.pluginmanager.hasplugin("cacheprovider"):
        return
    patch = pytest.MonkeyPatch()
    patch.setenv("XDG_CACHE_HOME", str(config.cache.mkdir("compiled")))
    config.add_cleanup(patch.undo)


@pytest.fixture(autouse=True, scope="session")
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What rnncli keeps for a user is kept elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
