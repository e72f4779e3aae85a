"""The one lock of the views."""

import threading

import pytest

from mcp_memory.domain.episode import Episode
from mcp_memory.testing import InMemoryStore
from mcp_memory.views.vector_index import SignBitIndex
from mcp_memory.views.view import Views

pytestmark = pytest.mark.anyio


@pytest.fixture
async def store() -> InMemoryStore:
    store = InMemoryStore()
    await store.start_episode(Episode("e", "p", "a task"))
    return store


@pytest.fixture
def views(store: InMemoryStore) -> Views:
    views = Views(store, SignBitIndex, tuple)
    views.load()
    return views


async def test_who_reads_cannot_read_again_nor_move_what_it_reads(views: Views, store: InMemoryStore) -> None:
    with views.read():
        with pytest.raises(RuntimeError), views.read():
            pass
        await store.start_episode(Episode("f", "p", "another"))
        with pytest.raises(RuntimeError):
            views.catch_up()
    views.catch_up()


async def test_two_threads_take_turns(views: Views) -> None:
    inside, order = threading.Event(), []

    def other() -> None:
        inside.set()
        with views.read():
            order.append("other")

    thread = threading.Thread(target=other)
    with views.read():
        thread.start()
        assert inside.wait(5)
        thread.join(0.05)
        assert thread.is_alive()
        order.append("this")
    thread.join(5)
    assert order == ["this", "other"]


async def test_an_error_while_reading_lets_go(views: Views) -> None:
    with pytest.raises(ZeroDivisionError), views.read():
        raise ZeroDivisionError
    with views.read() as v:
        assert len(v.catalog) == 0


async def test_the_start_of_an_episode_makes_no_answer_another_one(views: Views, store: InMemoryStore) -> None:
    with views.read() as v:
        before = v.version, v.seq
    await store.start_episode(Episode("g", "p", "another"))
    views.catch_up()
    with views.read() as v:
        assert (v.version, v.seq) == before


async def test_nothing_is_followed_before_the_views_are_loaded(store: InMemoryStore) -> None:
    views = Views(store, SignBitIndex, tuple)
    views.catch_up()
    assert not views.wait_loaded(0)
    views.load()
    assert views.wait_loaded(0)
