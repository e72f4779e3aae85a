"""How calls of a tool went whose value stood in quotes, beside those without: some tools take the quotes for a part of the name. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Json, Step
from mcp_memory.domain.fingerprints import shape_number
from mcp_memory.views.columns import Bools, Ints
from mcp_memory.views.experience import Experience

MIN_FAILED, MIN_WORKED = 3, 3  # calls with the quotes that all failed, and calls without that worked
_QUOTES = ('"', "'", "“", "”", "`")
_PLAIN = "name"  # a value of one word


class Quoting(NamedTuple):
    """`quoted` calls with the argument in quotes, all of which failed, and of `bare` ones those that `worked`."""

    argument: str
    quoted: Ints  # steps
    bare: int
    worked: int


def quoting(x: Experience, step: Step, seen: Bools) -> Quoting | None:
    """Return what is known of the quotes around a value of *step*; None where it has none, or one such call worked, or few were made.

    Args:
        x: The experience.
        step: Made or intended.
        seen: Which of the rows count.
    """
    argument = next((name for name, value in step.arguments.items() if _in_quotes(value)), "")
    tool = x.tools.find(step.key)
    if not argument or tool < 0 or command_in(step.arguments):
        return None
    steps = np.flatnonzero(x.step_tool == tool)
    steps = steps[seen[x.rows_at(steps)]]
    bare_value = str(step.arguments[argument]).strip()[1:-1]
    quoted = steps[np.isin(x.step_shape[steps], _shapes(step.arguments, argument, step.arguments[argument], f'"{_PLAIN}"'))]
    bare = steps[np.isin(x.step_shape[steps], _shapes(step.arguments, argument, bare_value, _PLAIN))]
    worked = int((~x.step_failed[bare]).sum())
    if len(quoted) < MIN_FAILED or worked < MIN_WORKED or not x.step_failed[quoted].all():
        return None
    return Quoting(argument, quoted, len(bare), worked)


def _in_quotes(value: Json) -> bool:
    text = value.strip() if isinstance(value, str) else ""
    return len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES and "\n" not in text


def _shapes(arguments: Mapping[str, Json], argument: str, *values: Json) -> list[int]:
    return [shape_number({**arguments, argument: value}) for value in values]
