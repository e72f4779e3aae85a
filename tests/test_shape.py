"""The shape of the package: imports make no circle, wherever they stand, and every function fits on a screen."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mcp_memory"
MAX_FUNCTION_LINES = 60
Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_name(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs, in functions too; an `if TYPE_CHECKING` only its else."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.orelse:
                yield from run_time_nodes(ast.Module([part], []))
            continue
        yield child
        yield from run_time_nodes(child)


def imported(tree: ast.Module, name: str, *, is_package: bool) -> Iterator[str]:
    """Yield the dotted names that a module imports at any time: `a.b` and `a.b.c` for `from a.b import c`."""
    for node in run_time_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = name.split(".") if is_package else name.split(".")[:-1]
            base = parents[: len(parents) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            yield full
            yield from (f"{full}.{alias.name}" for alias in node.names)


def import_graph(package: Path) -> dict[str, set[str]]:
    """Return which modules of a package import which others of it."""
    paths = {module_name(path, package): path for path in package.rglob("*.py")}
    graph = {}
    for name, path in paths.items():
        found = imported(ast.parse(path.read_text(encoding="utf-8")), name, is_package=path.name == "__init__.py")
        graph[name] = {other for other in found if other in paths and other != name}
    return graph


def test_no_import_makes_a_circle_not_even_one_inside_a_function() -> None:
    try:
        TopologicalSorter(import_graph(PACKAGE)).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_a_circle_through_an_import_inside_a_function_would_be_found(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "cart.py").write_text("from shop import prices\n", encoding="utf-8")
    (package / "prices.py").write_text("def total():\n    from .cart import items\n", encoding="utf-8")
    with pytest.raises(CycleError):
        TopologicalSorter(import_graph(package)).prepare()


def test_every_function_fits_on_a_screen() -> None:
    long = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, Function) and (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES:
                long.append(f"{path.name}:{node.lineno} {node.name} has {lines} lines")
    assert not long
