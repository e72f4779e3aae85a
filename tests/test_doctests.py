"""The examples in docstrings are right."""

import doctest
import importlib
import pkgutil

import pytest

import mcp_memory

MODULES = [
    "mcp_memory",
    *(name for _, name, _ in pkgutil.walk_packages(mcp_memory.__path__, "mcp_memory.") if not name.endswith("__main__")),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_right(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
