"""The map: every attempt is on it once, stays where it is, and comes off it with its words."""

import threading

import anyio
import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config
from mcp_memory.domain.task_map import TaskMap
from mcp_memory.learning.reports.chart import Chart
from mcp_memory.memory import EpisodicMemory
from mcp_memory.verbs.map_following import MIN_TASKS, Following
from mcp_memory.verbs.mapping import FILE_NAME

pytestmark = pytest.mark.anyio
WHEELS = [f"mend the {side} wheel of the {colour} bicycle" for side in ("left", "front", "back") for colour in ("red", "blue", "green")]
POEMS = [f"translate the {kind} poem about {what}" for kind in ("old", "long", "sad") for what in ("autumn", "rivers", "snow")]


async def keep(memory: EpisodicMemory, task: str, outcome: str = "success", project: str = "") -> str:
    started = await memory.start_episode(task=task, recall=False, project=project)
    await memory.complete_episode(episode_id=started.episode_id, outcome=outcome)
    return started.episode_id


async def filled(memory: EpisodicMemory) -> list[str]:
    return [await keep(memory, task, "success" if task in WHEELS else "failure") for task in WHEELS + POEMS]


async def place_of(memory: EpisodicMemory, episode_id: str) -> int:
    whole = await memory.map_tasks(project="*")
    for cell in whole.cells:
        chosen = await memory.map_tasks(project="*", cell=cell.number)
        if episode_id in [row.episode_id for row in chosen.chosen]:
            return cell.number
    raise AssertionError("it is not on the map")


async def test_every_attempt_is_on_the_map_once_with_its_outcome(memory: EpisodicMemory) -> None:
    await filled(memory)
    found = await memory.map_tasks(project="*")
    assert found.attempts == sum(c.attempts for c in found.cells) == sum(r.attempts for r in found.regions) == 18
    assert sum(c.worked for c in found.cells) == sum(r.worked for r in found.regions) == len(WHEELS)
    assert found.by_words
    assert all(0 <= c.region < len(found.regions) for c in found.cells)


async def test_alike_tasks_share_regions_and_their_words_label_them(memory: EpisodicMemory) -> None:
    await filled(memory)
    found = await memory.map_tasks(project="*")
    mixed = [r for r in found.regions if 0 < r.worked < r.attempts]
    assert sum(r.attempts for r in mixed) <= 6, "wheels worked, poems did not"
    words = {word for region in found.regions for word in region.words}
    assert words & {"wheel", "bicycle", "mend"}
    assert words & {"poem", "translate"}


async def test_a_region_shows_its_newest_attempts_and_a_project_only_its_own(memory: EpisodicMemory) -> None:
    await filled(memory)
    elsewhere = await keep(memory, WHEELS[0], project="elsewhere")
    own = await memory.map_tasks(project="elsewhere", region=0)
    assert (own.attempts, own.chosen_attempts, [row.episode_id for row in own.chosen]) == (1, 1, [elsewhere])
    assert (await memory.map_tasks(project="*")).attempts == 19
    assert (await memory.map_tasks(project="*", cell=10_000)).chosen == ()


async def test_a_new_attempt_takes_its_place_and_the_others_keep_theirs(memory: EpisodicMemory) -> None:
    ids = await filled(memory)
    before = [await place_of(memory, episode_id) for episode_id in ids[:3]]
    again = await keep(memory, WHEELS[0])
    assert await place_of(memory, again) == before[0]
    assert [await place_of(memory, episode_id) for episode_id in ids[:3]] == before


async def test_what_is_forgotten_is_off_the_map_and_another_outcome_is_on_it(memory: EpisodicMemory) -> None:
    ids = await filled(memory)
    assert (await memory.map_tasks(project="*")).attempts == 18
    await memory.forget(episode_ids=[ids[0]], confirm=True)
    await memory.label(episode_id=ids[-1], outcome="success")
    found = await memory.map_tasks(project="*")
    assert (found.attempts, sum(c.worked for c in found.cells)) == (17, len(WHEELS) - 1 + 1)


async def test_too_few_tasks_make_no_map(memory: EpisodicMemory) -> None:
    for task in WHEELS[: MIN_TASKS - 1]:
        await keep(memory, task)
    assert (await memory.map_tasks(project="*")).cells == ()


async def test_the_next_process_draws_the_same_map_and_a_damaged_one_is_drawn_anew(config: Config) -> None:
    async with open_memory(config) as memory:
        ids = await filled(memory)
        before = [await place_of(memory, episode_id) for episode_id in ids]
    async with open_memory(config) as memory:
        await memory.settle()
        assert [await place_of(memory, episode_id) for episode_id in ids] == before
    (config.data_dir / FILE_NAME).write_bytes(b"no map at all")
    async with open_memory(config) as memory:
        await memory.settle()
        assert [await place_of(memory, episode_id) for episode_id in ids] == before


async def map_with(memory: EpisodicMemory, attempts: int) -> TaskMap:
    """Return the map as soon as it has so many attempts."""
    while (found := await memory.map_tasks(project="*")).attempts != attempts:  # noqa: ASYNC110  (nothing tells when it has)
        await anyio.sleep(0.01)
    return found


async def test_who_asks_for_the_map_of_a_large_memory_follows_nothing(memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(memory)
    memory._mapping._large = 10  # 18 are many
    monkeypatch.setattr("mcp_memory.verbs.mapping.LOOK_EVERY_S", 0.01)
    memory.keep_map_ready()
    assert not (await map_with(memory, 18)).is_coming
    pieces, read = list[int](), Following.read

    def counted(followed: Following, at_most: int) -> bool:
        assert threading.current_thread().name.startswith("map")
        pieces.append(at_most)
        return read(followed, at_most)

    monkeypatch.setattr(Following, "read", counted)
    await keep(memory, WHEELS[0])
    await map_with(memory, 19)
    assert set(pieces) == {200}
    await memory.forget(episode_ids=[(await memory.map_tasks(project="*", region=0)).chosen[0].episode_id], confirm=True)
    whole = (await memory.map_tasks(project="*")).attempts
    assert whole in (18, 19), "what is shown stays whole while another one is made"
    await map_with(memory, 18)


async def test_where_too_few_have_a_vector_of_a_new_model_one_look_at_them_is_enough(
    memory: EpisodicMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await filled(memory)
    assert (await memory.map_tasks(project="*")).attempts == 18
    looks, drawn = list[int](), Following.drawn

    def counted(followed: Following) -> Chart | None:
        looks.append(len(followed.waiting))
        return drawn(followed)

    monkeypatch.setattr(Following, "drawn", counted)
    monkeypatch.setattr(Following, "_space", lambda _: "another:model:8")
    monkeypatch.setattr("mcp_memory.verbs.mapping.AT_ONCE", 1)
    await memory.forget(episode_ids=ids[:1], confirm=True)
    assert (await memory.map_tasks(project="*")).attempts == 17, "on the map there is"
    assert looks == [17]
    await memory.map_tasks(project="*")
    assert len(looks) == 2, "one more for who asks again: there may be more vectors by now"
