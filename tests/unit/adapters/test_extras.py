"""Who does not use a framework does not need it: each adapter is small, behind an extra, and alone in importing its framework."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "mcp_memory"
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
FRAMEWORKS = {  # the module that an adapter imports, and its extra
    "langgraph": ("langgraph", "langgraph"),
    "openai_agents": ("agents", "openai-agents"),
    "claude_agent": ("claude_agent_sdk", "claude-agent-sdk"),
    "pydantic_ai": ("pydantic_ai", "pydantic-ai"),
}
MAX_LINES = 150


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_an_adapter_is_small_has_an_extra_and_imports_its_own_framework_only(name: str) -> None:
    path = PACKAGE / "adapters" / f"{name}.py"
    module, extra = FRAMEWORKS[name]
    assert len(path.read_text(encoding="utf-8").splitlines()) < MAX_LINES
    assert len(EXTRAS[extra]) == 1
    assert imported(path) & {module for module, _ in FRAMEWORKS.values()} == {module}


def test_nothing_else_imports_a_framework() -> None:
    adapters = {PACKAGE / "adapters" / f"{name}.py" for name in FRAMEWORKS}
    frameworks = {module for module, _ in FRAMEWORKS.values()}
    assert [path for path in PACKAGE.rglob("*.py") if path not in adapters and imported(path) & frameworks] == []


def test_every_adapter_is_known_here() -> None:
    assert {path.stem for path in (PACKAGE / "adapters").glob("*.py")} == {*FRAMEWORKS, "__init__", "agent_session"}
