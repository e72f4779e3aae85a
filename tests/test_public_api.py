"""The public names are one list, and every name on it loads."""

import mcp_memory


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
