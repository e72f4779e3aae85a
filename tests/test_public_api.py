"""The public names are one list, and every name on it loads."""

import mcp_memory
from mcp_memory import EpisodicMemory, SyncMemory


def test_all_is_sorted_and_every_name_loads() -> None:
    assert mcp_memory.__all__ == sorted(mcp_memory.__all__)
    for name in mcp_memory.__all__:
        assert getattr(mcp_memory, name) is not None


def test_dir_shows_the_public_names() -> None:
    assert dir(mcp_memory) == sorted(mcp_memory.__all__)


def test_the_version_is_the_one_of_the_distribution() -> None:
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert mcp_memory.__version__ == project["version"]


OF_SERVERS = {  # what only a server asks: who calls from where, the ids of one bound to a project, the map behind its pages
    "bound_to",
    "heard_of",
    "heard_project",
    "keep_map_ready",
    "project_named",
    "with_whole_ids",
    "within_reach",
}


def public(kind: type) -> set[str]:
    return {name for name in vars(kind) if not name.startswith("_")}


def test_every_method_of_the_memory_is_there_and_one_that_takes_work_to_its_event_loop() -> None:
    assert public(SyncMemory) == (public(EpisodicMemory) - OF_SERVERS) | {"run"}
