"""Fixtures: the mirror of release files, a folder that an ordinary user can reach, and the beginning of a story."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.binaries import PROGRAMS
from tests.e2e.harness.server import Server
from tests.e2e.harness.story import Setup, Story
from tests.e2e.mirror import Mirror, lay_out, serve


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Outages and stories take minutes, the rest seconds: between two of them stands something short.

    A worker is given the test after the one that it runs, so two of them in a row would wait for each other.
    """
    outages = [item for item in items if "test_outage" in item.nodeid]
    stories = outages + [item for item in items if "test_story" in item.nodeid]
    others = [item for item in items if item not in stories]
    mixed = itertools.zip_longest(stories, others)
    items[:] = [item for pair in mixed for item in pair if item is not None]


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    """A mirror of all programs, for hosts."""
    root = tmp_path_factory.mktemp("released")
    lay_out(root, PROGRAMS)
    with serve(root) as mirror:
        yield mirror


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder whose parents everyone may search: pytest's own belong to one user."""
    folder = Path(tempfile.mkdtemp(prefix="telflo-e2e-"))
    folder.chmod(0o755)
    (folder / "server").mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def begin(ground: Path, released: Mirror) -> Iterator[Callable[[Setup], Story]]:
    """Begins a story on an embedded server; what it started is ended afterwards."""
    with ExitStack() as endings:

        def make(setup: Setup) -> Story:
            server = Server(ground / "server", released.base_url)
            endings.callback(server.clean_up)
            story = Story.begin(setup, server, ground)
            endings.callback(story.end)
            return story

        yield make
