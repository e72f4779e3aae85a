"""Steps that name an element of a page or a screen by the number it was shown under, told by what it says instead. Pure.

The number is of one page as it was drawn once (`[12] link 'My orders'`, `- button "Save" [ref=e7]`); another run has other numbers, and the
same number for something else. What the element says is what another run can find again.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.domain.text import shorten
from mcp_memory.learning.reading.file_uses import words_of

MAX_BACK = 8  # steps whose observations are looked through, the latest first
MAX_LABEL_CHARS = 60
MAX_TEXT_CHARS = 200  # of a call in words: what is longer is a text
_VERB_TEXT = "click tap press touch type fill hover select input check uncheck focus drag scroll set clear submit choose toggle long"
_VERBS = frozenset(_VERB_TEXT.split())
_OPENING = frozenset(["goto", "navigate", "open", "visit", "browse"])
_ADDRESS = re.compile(r"(?:https?|file|chrome|app)://\S+$")
_NAME = re.compile(r"(?:^|[a-z]_?)(?:id|ref|uid|bid|index|idx|element|elem|node|target)$", re.I)  # of an argument
_DESCRIBED = re.compile(r"^(?:element|description|label|name|text_of_element)$", re.I)  # Playwright's `element` beside its `ref`
_PLAYWRIGHT = "element"  # by which Playwright's calls describe what their `ref` is the number of
_LABEL = re.compile(r"(?:[\w-]+ )?'[^'\n]+'")  # as `_of_line` gives it
_NUMBER = r"[A-Za-z]{0,2}\d{1,6}(?:[_e]\d{1,6})?"
_IS_NUMBER = re.compile(rf"\[?(?:ref=)?({_NUMBER})\]?")
_IN_WORDS = re.compile(rf"\[({_NUMBER})\]|(?<=\(['\"])({_NUMBER})(?=['\"])")
_QUOTED = re.compile(r"(?:(\w[\w-]*)\s*:?\s+)?(?:\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'(?!\w))")
_TAG = re.compile(r"<(\w+)([^<>]*)>([^<>\n]*)")
_ATTRIBUTE = re.compile(r"\b(?:aria-label|placeholder|title|alt|value|name)=['\"]?([^'\">]{1,200})")
_FIRST = re.compile(r"[A-Za-z]+")
_MARKS = re.compile(r"^[\s*\-•|>:.]+|[\s:]+$")

ReadEpisodes = Callable[[Sequence[str]], list[Episode | None]]


def reading_shown(read: ReadEpisodes) -> ReadEpisodes:
    """Return a reader of the same episodes, told `as_shown`."""
    return lambda ids: [as_shown(episode) if episode is not None else None for episode in read(ids)]


def as_shown(episode: Episode) -> Episode:
    """Return the episode with each element that a step names by its number named by what it says; itself where there is none.

    Only of calls that work on a page or a screen (click, type, select …), and only where an observation before it shows the number beside a
    label. Where the call describes the element as well, its number is left out.

    >>> page = Step("goto", observation="[12] link 'My orders'\\n[13] button 'Log out'")
    >>> as_shown(Episode("e", "p", "t", steps=(page, Step("click", arguments={"id": "12"})))).steps[1].arguments
    {'id': "link 'My orders'"}
    """
    return episode.once(_as_shown) or episode


def _as_shown(episode: Episode) -> Episode | None:
    """Return the episode told so where it is another one."""
    steps = episode.steps
    if not any(map(works_on_page, steps)):
        return None
    told = [_shown(steps, i) if works_on_page(step) else step for i, step in enumerate(steps)]
    return None if all(a is b for a, b in zip(told, steps, strict=True)) else replace(episode, steps=tuple(told))


def is_of_page(value: str, name: str = "") -> bool:
    """Return whether an argument's value is what an element says, and likely the page's own word, which another case finds there, too.

    >>> is_of_page("link 'My orders'"), is_of_page("link 'Order 189'"), is_of_page("My orders"), is_of_page("Save button", "element")
    (True, False, False, True)
    """
    is_label = name == _PLAYWRIGHT or _LABEL.fullmatch(value) is not None
    return is_label and "@" not in value and not any(map(str.isdigit, value))


def goes_to_page(step: Step) -> bool:
    """Return whether a step opened an address: where pages are worked on, that is part of the way, and no mere look.

    >>> goes_to_page(Step("goto", arguments={"url": "https://shop.local/admin"})), goes_to_page(Step("goto", arguments={"line": 7}))
    (True, False)
    """
    if step.failed or _OPENING.isdisjoint(words_of(step.key)):
        return False
    return any(isinstance(value, str) and _ADDRESS.match(value) for value in step.arguments.values())


def works_on_page(step: Step) -> bool:
    """Return whether a step clicks, types, selects: it works on a page or a screen."""
    if _is_verb(step.key):
        return True
    said = _in_words(step)
    begins = _FIRST.match(said) if said else None
    return begins is not None and begins[0].casefold() in _VERBS


@lru_cache(maxsize=4096)
def _is_verb(key: str) -> bool:
    return not _VERBS.isdisjoint(words_of(key))


def _in_words(step: Step) -> str:
    """Return the call of an agent that writes it as words, alone or as its only argument; "" for any other."""
    if not step.arguments:
        return step.description
    only = next(iter(step.arguments.values())) if len(step.arguments) == 1 else ""
    return only if isinstance(only, str) and len(only) <= MAX_TEXT_CHARS else ""


def _shown(steps: Sequence[Step], i: int) -> Step:
    step = steps[i]
    if step.description:
        said = _words_shown(steps, i, step.action)
        return replace(step, action=said) if said != step.action else step
    arguments = _arguments_shown(steps, i, step.arguments)
    return step if arguments == step.arguments else replace(step, arguments=arguments)


def _arguments_shown(steps: Sequence[Step], i: int, arguments: Mapping[str, Json]) -> Mapping[str, Json]:
    numbers = {name: found[1] for name, value in arguments.items() if _NAME.search(name) and (found := _number(value))}
    if not numbers:
        only = _in_words(steps[i])
        return {name: _words_shown(steps, i, only) for name in arguments} if only else arguments
    if any(_DESCRIBED.match(name) and name not in numbers and str(value).strip() for name, value in arguments.items()):
        return {name: value for name, value in arguments.items() if name not in numbers}
    labels = {name: label for name, number in numbers.items() if (label := _label(steps, i, number))}
    return {name: labels.get(name, value) for name, value in arguments.items()} if labels else arguments


def _words_shown(steps: Sequence[Step], i: int, text: str) -> str:
    def named(found: re.Match[str]) -> str:
        label = _label(steps, i, found[1] or found[2])
        return (f"[{label}]" if found[1] else label) if label else found[0]

    return _IN_WORDS.sub(named, text)


def _number(value: Json) -> re.Match[str] | None:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return _IS_NUMBER.fullmatch(str(value)) if is_plain and len(str(value)) <= 16 else None


def _label(steps: Sequence[Step], i: int, number: str) -> str:
    """Return what the latest observation before a step shows beside a number, "" where none shows it so."""
    shown = _shown_as(number)
    for step in reversed(steps[max(0, i - MAX_BACK) : i]):
        if number in step.observation and (found := shown.search(text := step.observation)):
            return _of_line(text[text.rfind("\n", 0, found.start()) + 1 : found.start()] + " " + text[found.end() :].partition("\n")[0])
    return ""


@lru_cache(maxsize=1024)
def _shown_as(number: str) -> re.Pattern[str]:
    """Return how pages show an element's number: `[12]`, `[ref=e7]`, `uid=1_12`, `UI element 5:`."""
    return re.compile(rf"\[(?:ref=|bid=)?{number}\]|\b(?:ref|uid|bid)=\"?{number}\b\"?|\belement {number}:", re.I)


def _of_line(line: str) -> str:
    """Return what a line says of its element, without the number: its role and its text.

    >>> _of_line(" link 'My orders'"), _of_line('  - button "Save" [cursor=pointer]'), _of_line('(text="Send", clickable=True)')
    ("link 'My orders'", "button 'Save'", "'Send'")
    >>> _of_line("<input placeholder='Search' />"), _of_line("<a href=/x>Log out</a>"), _of_line(" Second page"), _of_line(" 17")
    ("input 'Search'", "a 'Log out'", "'Second page'", '')
    """
    rest = line.strip()
    if tag := _TAG.search(rest):
        said = _ATTRIBUTE.search(tag[2])
        role, text = tag[1], tag[3].strip() or (said[1] if said else "")
    elif quoted := _QUOTED.search(rest):
        role, text = quoted[1] or "", quoted[2] or quoted[3]
    else:
        role, text = "", _MARKS.sub("", re.sub(r"\[[^\]]*\]", "", rest))
    text = shorten(" ".join(text.split()), MAX_LABEL_CHARS)
    return f"{role} '{text}'".strip() if text and any(map(str.isalpha, text)) else ""
