"""TOML and YAML as people write them: our entry goes in, the rest keeps its bytes, and what goes out leaves what was there."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from mcp_memory.cli.install import toml_text, yaml_text
from mcp_memory.errors import InvalidInput

ENTRY: dict[str, Any] = {"command": "x", "args": ["a", "b # c"]}
TOMLS = {
    "empty": "",
    "no newline at the end": "a = 1",
    "other tables behind": "[servers.f]\ncommand='q' # mine\n\n[x]\ny=1\n",
    "its own table": "[servers]\n",
    "inline": "servers = { f = {command='q'} }\n",
    "inline, empty": "servers = {}\n",
    "sub-tables": "[servers.f]\ncommand='q'\n\n[servers.f.env]\nA='1'\n\n# end\n",
    "carriage returns": "[a]\r\nb=1\r\n",
}
YAMLS = {
    "empty": "",
    "only a comment": "# none\n",
    "no list yet": "name: a\n",
    "nothing in the list": "servers:\nb: 2\n",
    "null": "servers: null\nb: 2",
    "an empty list with a comment": "servers: []  # none\nb: 2\n",
    "indented, with comments": "servers:\n  # mine\n  - name: f\n    command: z\n\n# end\nb: 1",
    "not indented": "servers:\n- name: f\n  args:\n    - q\n    - |\n      multi\n      line\n  env: {A: b}\nx: 1\n",
    "carriage returns": "servers:\r\n- name: f\r\n  command: q\r\n",
    "on one line": "servers: [{name: f, command: z}]\nb: 1\n",
}
CASES = [pytest.param(toml_text, text, id=f"toml, {name}") for name, text in TOMLS.items()]
CASES += [pytest.param(yaml_text, text, id=f"yaml, {name}") for name, text in YAMLS.items()]


def servers(value: Any) -> dict[str, Any]:
    found = (value or {}).get("servers") or {}
    return {item["name"]: {k: v for k, v in item.items() if k != "name"} for item in found} if isinstance(found, list) else found


@pytest.mark.parametrize(("form", "text"), CASES)
def test_an_entry_goes_in_beside_what_is_there(form: ModuleType, text: str) -> None:
    edited = form.put(text, "servers", "memory", ENTRY)
    found = servers(form.value(edited))
    assert found.pop("memory") == ENTRY
    assert found == servers(form.value(text))
    for line in text.splitlines():
        if "servers" not in line:
            assert line in edited
    assert ("\r\n" in edited) == ("\r\n" in text)
    if "\r\n" in text:
        assert "\n" not in edited.replace("\r\n", "")


@pytest.mark.parametrize(("form", "text"), CASES)
def test_the_same_entry_again_changes_nothing_and_another_takes_its_place(form: ModuleType, text: str) -> None:
    once = form.put(text, "servers", "memory", ENTRY)
    assert form.put(once, "servers", "memory", ENTRY) == once
    other = form.put(once, "servers", "memory", {"command": "y"})
    assert servers(form.value(other))["memory"] == {"command": "y"}


@pytest.mark.parametrize(("form", "text"), CASES)
def test_an_entry_goes_out_alone(form: ModuleType, text: str) -> None:
    edited = form.put(text, "servers", "memory", ENTRY)
    if "[{" in text:
        with pytest.raises(InvalidInput, match="one line"):
            form.take_out(edited, "servers", "memory")
        return
    left = form.take_out(edited, "servers", "memory")
    assert servers(form.value(left)) == servers(form.value(text))
    assert "memory" not in left
    assert form.take_out(left, "servers", "memory") == left


REFUSED: list[tuple[Callable[..., str], str]] = [
    (toml_text.put, "servers = 3\n"),
    (toml_text.put, "servers"),
    (yaml_text.put, "servers: {a: 1}\n"),
    (yaml_text.put, '{"servers": []}\n'),
    (yaml_text.put, "- a\n"),
    (yaml_text.put, "a: [\n"),
]


@pytest.mark.parametrize(("put", "text"), REFUSED)
def test_what_is_no_such_file_is_refused(put: Callable[..., str], text: str) -> None:
    with pytest.raises(InvalidInput):
        put(text, "servers", "memory", ENTRY)
