"""What all tests share."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from channels.layers import channel_layers
from django.contrib.contenttypes.management import create_contenttypes
from django.core.cache import cache
from django.db.models.signals import post_migrate

from fleets import tasks
from notices import tasks as notices
from telflo.base.hints import RecordingPort, set_port
from tests.opamp.adapters import ADAPTERS, Adapter


@pytest.fixture(autouse=True)
def _fresh_channel_layer() -> Iterator[None]:
    """A layer belongs to the event loop that used it first; each test has a loop of its own."""
    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Rate limits and other cached counts start at zero."""
    cache.clear()
    yield
    cache.clear()


class AtOnce:
    """Tasks are run where they are sent: the outbox's thread would see nothing of a test's transaction."""

    def __init__(self, send: Callable[[str], None]) -> None:
        self.post = send


@pytest.fixture(autouse=True, scope="session")
def _tasks_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "outbox", AtOnce(tasks.send))
        patch.setattr(notices, "to_worker", AtOnce(notices.send))
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """A database once for all tests of a process. Behind a test with transactions of its own it is emptied; Django
    would then make all content types and permissions anew, which nobody here reads.
    """
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture(params=ADAPTERS)
async def adapter(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    """Each way in for agents' WebSockets; `parametrize("adapter", ["asgi"], indirect=True)` chooses one."""
    made = ADAPTERS[request.param]()
    yield made
    await made.stop()


@pytest.fixture
def hints() -> Iterator[RecordingPort]:
    """What would be sent on the channel layer."""
    port = RecordingPort()
    before = set_port(port)
    yield port
    set_port(before)


@pytest.fixture
def committed(
    hints: RecordingPort,
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[list[Any]]],
) -> Callable[[], AbstractContextManager[list[Any]]]:
    """`with committed():` runs tasks and hints at its end, as a commit does."""
    return lambda: django_capture_on_commit_callbacks(execute=True)
