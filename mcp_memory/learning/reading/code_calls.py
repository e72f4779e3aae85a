"""What a piece of Python calls: the deeds of agents whose tool runs code, as a notebook's cells or `execute(code)`. Pure.

The values in such code are of its case, and its lines are its agent's own; the functions it calls, and with which of their keywords, are
what another run can do again.
"""

import ast
import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Json, Step

CODE_ARGUMENTS = ("code", "source", "script", "python", "snippet")
MAX_CODE_CHARS, MAX_CALLS = 8_000, 20
MAX_STEPS_LATER = 10  # in which a call is looked for that had failed
_SETTING = re.compile(r"[a-z]{2,16}(?:[-_]?\d{1,3})?(?:[-_][a-z]{2,12})?")
_BUILTINS = frozenset(dir(builtins))
MAX_NEW = 3  # calls told of what came before it worked


@dataclass(frozen=True, slots=True)
class CodeCall:
    """A function by its dotted name, with the keywords it was called with; of those that are settings, the values."""

    name: str
    keywords: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def told(self) -> str:
        """Return the call without values: `bank.pay(to, amount)`."""
        return f"{self.name}({', '.join(self.keywords)})"

    def beside(self, other: "CodeCall") -> tuple[str, ...]:
        """Return the keywords that it has and *other* has not, or set otherwise, with what they are set to: `encoding='latin-1'`."""
        values, others = dict(self.settings), dict(other.settings)
        new = (name for name in self.keywords if name not in other.keywords or values.get(name) != others.get(name))
        return tuple(f"{name}={values.get(name, '')}" for name in new)


def code_in(arguments: Mapping[str, Json]) -> str:
    """Return the code that a call runs, "" where it runs none; a shell's command is no such code."""
    if command_in(arguments):
        return ""
    return next((value for name in CODE_ARGUMENTS if isinstance(value := arguments.get(name), str)), "")


def calls_in(code: str) -> tuple[CodeCall, ...]:
    """Return the functions of modules and objects that *code* calls, in the order they run, each once; none where it is no Python.

    Not what the language has itself, nor methods of what the code made.

    >>> [call.told() for call in calls_in("t = bank.login(user='a', password=p)\\nprint(bank.pay(to=t.name, amount=2))\\nt.close()")]
    ['bank.login(user, password)', 'bank.pay(to, amount)']
    >>> calls_in("select * from orders")
    ()
    """
    return _calls_in(code[:MAX_CODE_CHARS]) if code else ()


@lru_cache(maxsize=256)  # a cell is asked for each time its step is told or compared
def _calls_in(code: str) -> tuple[CodeCall, ...]:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return ()
    made = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found = dict.fromkeys(call for call in _calls(tree) if call.name.partition(".")[0] not in made)
    return tuple(found)[:MAX_CALLS]


@dataclass(frozen=True, slots=True)
class CodeMend:
    """How a call in code got past its error: as it was when it failed, and when it worked, and what was called in between."""

    failed: CodeCall
    worked: CodeCall
    before: tuple[CodeCall, ...]


def code_mend(steps: Sequence[Step], failed: int) -> CodeMend | None:
    """Return what made a call work that stood in the code of a failed step; None where it never did, or where nothing was different.

    The call is the last of that code which a later step that worked has, too. Where the code ends with a call that has no dotted name, as
    `Model().fit(x)`, nobody knows which it was.

    >>> cells = ("api.songs()", "api.passwords()", "t = api.login(user=u)\\napi.songs(token=t)")
    >>> steps = [Step("execute", arguments={"code": cell}) for cell in cells]
    >>> mend = code_mend(steps, 0)
    >>> mend.failed.told(), mend.worked.told(), [call.told() for call in mend.before]
    ('api.songs()', 'api.songs(token)', ['api.passwords()', 'api.login(user)'])
    """
    own = calls_in(code_in(steps[failed].arguments))
    known, new = {call.name for call in own}, dict[str, CodeCall]()
    if not own or _ends_unnamed(code_in(steps[failed].arguments)[:MAX_CODE_CHARS]):
        return None
    for k in range(failed + 1, min(len(steps), failed + 1 + MAX_STEPS_LATER)):
        if steps[k].failed:
            continue
        calls = calls_in(code_in(steps[k].arguments))
        if again := next((call for mine in reversed(own) for call in calls if call.name == mine.name), None):
            first = next(mine for mine in own if mine.name == again.name)
            until = calls[: calls.index(again)]
            new |= {call.name: call for call in until if call.name not in known}
            is_other = again.beside(first) or first.beside(again)
            return CodeMend(first, again, tuple(new.values())[-MAX_NEW:]) if new or is_other else None
        new |= {call.name: call for call in calls if call.name not in known}
    return None


@lru_cache(maxsize=256)
def _ends_unnamed(code: str) -> bool:
    """Return whether the last call of some Python has no dotted name: an imported function, a method of what a call gave.

    >>> [_ends_unnamed(c) for c in ("print(bank.pay())", "Model().fit(df.drop('a'))", "score(m, df.drop('a'))", "x = bank.pay()\\nlen(x)")]
    [False, True, True, False]
    """
    own = (call.func for call in _in_order(ast.parse(code)) if not (isinstance(call.func, ast.Name) and call.func.id in _BUILTINS))
    return "." not in [".", *map(_dotted, own)][-1]


def _in_order(node: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of a tree as they run: arguments before the call they are for."""
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
    if isinstance(node, ast.Call):
        yield node


def _calls(tree: ast.AST) -> Iterator[CodeCall]:
    for call in _in_order(tree):
        if "." in (name := _dotted(call.func)):
            named = [(keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg]
            constants = ((word, value.value) for word, value in named if isinstance(value, ast.Constant))
            settings = tuple((word, repr(value)) for word, value in constants if _is_setting(value))
            yield CodeCall(name, tuple(word for word, _ in named), settings)


def _is_setting(value: object) -> bool:
    """Return whether a value says nothing of a case: a flag, a word of a vocabulary as `latin-1`."""
    return value is None or isinstance(value, bool) or (isinstance(value, str) and _SETTING.fullmatch(value) is not None)


def _dotted(node: ast.AST) -> str:
    """Return `a.b.c` of an attribute of names, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    inner = _dotted(node.value) if isinstance(node, ast.Attribute) else ""
    return f"{inner}.{node.attr}" if inner and isinstance(node, ast.Attribute) else ""
