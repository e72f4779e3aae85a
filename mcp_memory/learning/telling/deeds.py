"""What an attempt did that another can do again, or not: calls, its answer. Pure."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate

from mcp_memory.domain.commands import command_in
from mcp_memory.domain.episode import Episode, Json, Step
from mcp_memory.domain.nearness import SAME_TASK, THE_TASK
from mcp_memory.domain.step_keys import is_shell
from mcp_memory.domain.step_roles import Role, gives_answer, role_of, runs_tests, says_what
from mcp_memory.domain.text import shorten, shorten_middle
from mcp_memory.learning.reading.calls_told import call_by_names, call_told
from mcp_memory.learning.reading.case_values import renamed, without_ids
from mcp_memory.learning.reading.code_calls import calls_in, code_in
from mcp_memory.learning.reading.file_uses import words_of
from mcp_memory.learning.reading.run import error_text, message_of
from mcp_memory.learning.telling.acts import MAX_CALL_CHARS, MAX_CALLS, MAX_VALUES_CHARS, acts, told_as_call
from mcp_memory.learning.telling.examples import PLACEHOLDER, arguments_of, numbers_of_case
from mcp_memory.learning.telling.same_case import ids_of_call, names_a_case
from mcp_memory.phrases import points as phrases

MAX_ANSWER_CHARS = 90
MAX_IN_CODE = 3  # functions told of one piece of code
MAX_LOOKED = 4  # tools that are told of a run which looked things up alone
MIN_CALLS, MAX_CALLS_CHARS = 4, 600  # of those that are told of one attempt
MIN_LEFT = 2  # calls that are left of those in words, below which they say nothing
MAX_PART_WORDS = 4  # of what a page or a menu calls one of its parts
_TYPING = frozenset(["search", "type", "fill", "enter", "input", "write", "say", "ask", "lookup", "query", "find"])
_VALUE_IN_WORDS = re.compile(r"\[([^\[\]]{1,200})\]|\"([^\"]{1,200})\"|“([^”]{1,200})”")
_REPLYING = frozenset(["respond", "reply", "say", "answer", "message"])


def done(episode: Episode, similarity: float, query: str, gone: Collection[str] = ()) -> list[str]:
    """Return the calls that did something and worked, and, of a run that found an answer, how it came to it.

    Args:
        episode: With its steps.
        similarity: Of its task to the query.
        query: What was asked.
        gone: Tools that work no longer.
    """
    steps = episode.steps
    said = answer(steps[-1]) if steps and episode.success else ""
    acted = [i for i in acts(episode) if steps[i].key not in gone]
    calls, more = _calls(episode, acted or (_looks(steps) if said else []), similarity, query)
    if said and similarity >= SAME_TASK:  # another question has another answer
        return [phrases.found(calls, shorten(said, MAX_ANSWER_CHARS))]
    return [phrases.did(calls, more=more)] if calls else []


def called(episode: Episode, query: str, *, counted: bool = True) -> list[str]:
    """Return the calls that did something by the names of their arguments and those of their values that a query has, alike ones once.

    *counted*: with how often each was made.
    """
    found = calls_by_names(episode, query)
    is_all = sum(found.values()) <= MAX_CALLS
    calls = [phrases.repeated(call, n if counted else 1, is_all=is_all) for call, n in found.items()]
    return [phrases.did(calls[-MAX_CALLS:])] if calls else []


def calls_by_names(episode: Episode, query: str) -> Counter[str]:
    """Return the last calls that did something, by the names of their arguments and the values that a query has, and how often each was."""
    found = Counter[str]()
    for i in acts(episode):
        arguments = arguments_of(episode, i, MAX_VALUES_CHARS, query, alike=True) or {}
        known = {name: value for name, value in arguments.items() if not PLACEHOLDER.search(str(value))}
        if told := _by_names(episode.steps[i], known):
            found[told] += 1
    return found


def did_more_than_tests(episode: Episode) -> bool:
    """Return whether a run made a call that can be made again and tests nothing, as running again what had failed does."""
    return episode.once(_did_more_than_tests)


def _did_more_than_tests(episode: Episode) -> bool:
    steps = episode.steps
    return any(not runs_tests(steps[i].key) and not _had_failed(steps, i) for i in acts(episode))


def _had_failed(steps: Sequence[Step], i: int) -> bool:
    return any(step.failed and step.is_same_call(steps[i]) for step in steps[:i])


def looked(episode: Episode, similarity: float, query: str) -> list[str]:
    """Return what a run at this very task looked up that did nothing else, or its only call, whatever that was."""
    asked = [i for i in _looks(episode.steps) if not is_shell(episode.steps[i].tool)] if similarity >= THE_TASK else []
    calls, more = _calls(episode, asked, similarity, query)
    if not calls and len(episode.steps) == 1:
        calls = [call_told(episode.steps[0], MAX_CALL_CHARS)] if similarity >= THE_TASK else [episode.steps[0].key]
    return [phrases.did(calls, more=more)] if calls else []


def _looks(steps: Sequence[Step]) -> list[int]:
    return [i for i, step in enumerate(steps) if not step.failed and role_of(step.key) is Role.LOOKS and step.arguments]


def _calls(episode: Episode, chosen: Sequence[int], similarity: float, query: str) -> tuple[list[str], bool]:
    """Return the last of the chosen steps as calls in their order, each once with how often, and whether others went before them."""
    times = Counter(_call(episode, i, similarity, query) for i in chosen)
    said = [phrases.repeated(call, n, is_all=len(chosen) <= MAX_CALLS) for call, n in times.items() if call]
    if "" in times and len(said) < MIN_LEFT and any(episode.steps[i].description for i in chosen):
        return [], False  # of calls in words that are of another case what is left is no way to go
    room = accumulate(len(call) for call in reversed(said))
    kept = max(MIN_CALLS, sum(chars <= MAX_CALLS_CHARS for chars in room))
    told = said[-min(kept, MAX_CALLS) :]
    return told, len(told) < len(said)


def _call(episode: Episode, i: int, similarity: float, query: str) -> str:
    """Return a call as it can be made here: of another case, where it succeeded, the names of its arguments and what of them fits here."""
    step = episode.steps[i]
    if _is_this_case(episode, step, similarity) or (command_in(step.arguments) and similarity >= SAME_TASK):
        told, is_case = renamed(told_as_call(step), episode.task, query), _is_this_case(episode, step, similarity)
        own = (lambda value: not _is_named_by_error(episode, value)) if is_case else (lambda value: value in query)
        return without_ids(told, own) if command_in(step.arguments) else told
    if step.description:
        return _words_there(step, query)
    arguments = arguments_of(episode, i, MAX_VALUES_CHARS, query, alike=similarity >= SAME_TASK) or {}
    known = {name: value for name, value in arguments.items() if not PLACEHOLDER.search(str(value))}
    if len(known) == len(step.arguments) and not calls_in(code_in(step.arguments)):
        return call_told(step, MAX_VALUES_CHARS, known)
    if command_in(step.arguments):
        return ""
    others = (str(value) for name, value in step.arguments.items() if name not in known)
    tells = episode.success and (similarity >= SAME_TASK or numbers_of_case(episode.task, query).issuperset(others))
    return _by_names(step, known) if tells else ""


def _words_there(step: Step, query: str) -> str:
    """Return a call in words of another case without the values in brackets or quotes, "" where it has no others.

    What was typed or looked for is of that case, and so is what has a number in it; what a page or a menu calls its parts is not.

    >>> def words(text): return _words_there(Step("act", text), "I need a lamp")
    >>> words("click[Buy Now]"), words("click[B000P22TIY]"), words("search[red lamp]"), words("heat egg with microwave")
    ('act “click[Buy Now]”', '', '', 'act “heat egg with microwave”')
    """
    asked, verb = query.casefold(), step.description.partition("[")[0].strip().casefold()

    def shown(found: re.Match[str]) -> str:
        value = next(filter(None, found.groups()), "")
        is_part = not any(map(str.isdigit, value)) and len(value.split()) <= MAX_PART_WORDS and verb not in _TYPING
        return found[0] if is_part or value.casefold() in asked else found[0].replace(value, "…")

    text = _VALUE_IN_WORDS.sub(shown, step.description)
    if text != step.description and not any(word.casefold() not in (verb, "…") for word in re.findall(r"[^\W\d_]{2,}", text)):
        return ""
    return call_told(replace(step, action=without_ids(text, lambda value: value in query)), MAX_CALL_CHARS)


def _by_names(step: Step, known: Mapping[str, Json]) -> str:
    """Return a call of another case without its values but the *known* ones, "" where nothing is left of it.

    Of code the functions that it calls are told.
    """
    if calls := calls_in(code_in(step.arguments)):
        return ", ".join(f"`{call.told()}`" for call in calls[-MAX_IN_CODE:])
    return call_by_names(step, known) if known or says_what(step.key) else ""


def _is_named_by_error(episode: Episode, value: str) -> bool:
    """Return whether a value stands in an error that the run met, as the id of a lock does: it was of that time."""
    return any(value in error_text(step) for step in episode.steps if step.failed)


def _is_this_case(episode: Episode, step: Step, similarity: float) -> bool:
    """Return whether the values of a call are of the case that is asked about: with ids among them the task must name something, too."""
    return similarity >= THE_TASK and (names_a_case(episode.task) or not ids_of_call(step.arguments))


def ended(episode: Episode, similarity: float, *, briefly: bool = False) -> list[str]:
    """Return that a run changed nothing, what was refused it, and whom it handed the work to; a reply in the end is of its own case.

    *briefly*: where something was refused it, only that.
    """
    steps = episode.steps
    last = next((i for i in range(len(steps) - 1, -1, -1) if role_of(steps[i].key) is Role.PASSES), -1)
    acted = [step for step in steps if role_of(step.key) is Role.ACTS]
    says = last >= 0 and any(str(value).strip() for value in steps[last].arguments.values())
    if not says or similarity < SAME_TASK or any(not step.failed for step in acted):
        return []
    step = steps[last]
    call = call_told(step, MAX_CALL_CHARS) if _is_this_case(episode, step, similarity) else step.key
    refused = f"{acted[-1].key} failed with “{shorten_middle(message_of(acted[-1]), MAX_ANSWER_CHARS)}”" if acted else ""
    if refused and briefly:
        return [phrases.changed_nothing(refused)]
    looked_up = list(dict.fromkeys(other.key for other in steps if role_of(other.key) is Role.LOOKS))
    return [phrases.only("" if _REPLYING & words_of(step.key) else call, refused, looked_up[-MAX_LOOKED:])]


def answer(step: Step) -> str:
    """Return the answer that a step gave, "" where it gave none."""
    if not gives_answer(step.key):
        return ""
    return next((" ".join(value.split()) for value in step.arguments.values() if isinstance(value, str) and value.strip()), "")
