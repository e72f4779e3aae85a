"""Advice as plain lines for a model or a person: what was done and what came of it. Pure, of wire data.

A line that only counts tools is not said: the structured answer has it. Where nothing is left, that is said in one line.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from mcp_memory.domain.step_keys import is_shell, joined
from mcp_memory.domain.step_roles import Role, role_of, runs_tests
from mcp_memory.phrases.advice import worked_otherwise
from mcp_memory.phrases.playbooks import noted, nothing_in_common, of_others
from mcp_memory.phrases.precedents import precedent
from mcp_memory.phrases.words import cut_id, quoted
from mcp_memory.rendering.lines import LABEL, answered_elsewhere, elsewhere_text
from mcp_memory.rendering.on_one_line import cut, cut_quoted, flat, quoted_line

NOTHING_NEXT = "Earlier runs say nothing about this step that is worth reading."
MIN_CONTRAST = 0.2  # shares of successes and failures that took a step, from which it tells them apart
_DEED_CHARS, _SENTENCE_CHARS, _VALUE_CHARS = 800, 400, 160
Row = Mapping[str, Any]


def next_step_text(answer: Row) -> str:
    """Return an answer of suggest_next_step as lines: warnings, what answered the error, what was done at this task, the next step."""
    recovery = answer.get("recovery") or {}
    fixes = recovery.get("fixes", ())
    warnings = [row for row in answer.get("warnings") or () if 2 * row["failed"] >= row["tried"]]
    lines = [
        *map(_warning, warnings),
        *dict.fromkeys(line for fix in fixes if (line := fix_line(fix)) and not _is_told(fix, answer.get("precedents") or ())),
        *answered_elsewhere(answer),
        *map(_noted, recovery.get("noted", ())),
        *precedent_lines(answer, warned_of={key for warning in warnings for key in warning["evidence"]}),
        *_next(answer),
    ]
    return _labelled(answer, lines, NOTHING_NEXT + elsewhere_text(answer))


def _is_told(fix: Row, precedents: Sequence[Row]) -> bool:
    """Return whether the change that answered an error is told of the same run as what it left: once is enough."""
    path = (fix.get("did") or "").removeprefix("edit ").partition(":")[0]
    same = [row for row in precedents if fix.get("evidence") and row["episode_id"] == fix["evidence"][0]]
    return bool(path) and any(text.startswith(f"changed {path}:") for row in same for text in row["did"])


def playbook_text(answer: Row) -> str:
    """Return an answer of recommend_playbook as lines: what was done at this very task, the steps that tell, what went wrong."""
    book = answer.get("playbook") or {}
    worked = [row for row in answer.get("precedents") or () if row["worked"]]
    is_case = any(row["alike"] >= 1.0 for row in worked)  # which says it better than steps
    is_one = book.get("successes") == 1  # whose steps have nothing to be compared with
    steps = [] if is_case or is_one else [s for s in book.get("steps", ()) if step_shows(s) and s.get("contrast", 1.0) >= MIN_CONTRAST]
    lines = list(precedent_lines(answer))
    lines += [f"{number}. {_step(step)}" for number, step in enumerate(steps, 1)]
    lost = [row for row in answer.get("precedents") or () if not row["worked"]]
    unmanaged = of_others(lost[0]["attempts"]) if _are_all(lost) else ""  # the lines of these say that already
    lines += [f"- {cut(text, _SENTENCE_CHARS)}" for text in book.get("pitfalls", ()) if text != unmanaged]
    if steps and book.get("when_not_to_use"):
        lines.append(f"When not: {cut(book['when_not_to_use'], _SENTENCE_CHARS)}")
    lines += [_noted_at(row) for row in answer.get("noted") or () if not any(flat(row["lesson"]) in line for line in lines)]
    reason = f"{cut(answer.get('reason') or nothing_in_common(book.get('successes', 0), _first(book)), _SENTENCE_CHARS)}."
    if lines and not worked and not book and not _are_all(lost):  # then that nobody has managed it yet is news, beside what was tried
        lines = [f"{reason[0].upper()}{reason[1:]}", *lines]
    return _labelled(answer, lines, f"No playbook: {reason}{elsewhere_text(answer)}")


def _are_all(lost: Sequence[Row]) -> bool:
    """Return whether what is told of failures says itself that it is of all attempts."""
    return bool(lost) and bool(lost[0]["attempts"]) and sum(row["times"] for row in lost) >= lost[0]["attempts"]


def fix_line(fix: Row) -> str:
    """Return what answered an error, "" where it cannot be said in a way that could be done again."""
    if correction := fix.get("correction"):
        return f"After this error, as somebody put right: {cut(correction, _SENTENCE_CHARS)}"
    if fix["kind"] == "failed":
        return ""
    if (change := fix.get("change")) and 2 * (fix["fixed"] + fix["got_on"]) >= fix["tried"]:
        return f"{worked_otherwise(flat(change), fix['changed'], fix['compared'])}{_evidence(fix)}"
    if did := fix.get("did"):
        worked = "got the call past it" if fix.get("only_past") else "made the call work"
        came = "went through" if fix["names_failed"] else worked if fix["kind"] == "fixed" else "did the job instead"
        came = f"{came} in a run that did not succeed" if fix.get("by_failure") else came
        if like := fix.get("like"):
            return f"After an error like it ({quoted(flat(like))}) {cut_quoted(did, _DEED_CHARS)} {came}{_evidence(fix)}"
        return f"After this very error {cut_quoted(did, _DEED_CHARS)} {came}{_evidence(fix)}"
    return ""


def precedent_lines(answer: Row, warned_of: Collection[str] = ()) -> Iterator[str]:
    """Yield what was done at this very task, but for failures of episodes that were warned of."""
    for row in answer.get("precedents") or ():
        if not row["worked"] and row["times"] == 1 and row["episode_id"] in warned_of:
            continue
        did = [cut_quoted(text, _DEED_CHARS) for text in row["did"]]
        kind = {name: row.get(name, False) for name in ("partly", "made")}
        said = precedent(row["worked"], did, row["came"], row["times"], row["attempts"], row["alike"], **kind, about=row.get("about", ""))
        yield f"{quoted_line(said)} [{cut_id(row['episode_id'])}]"


def arguments_text(arguments: Mapping[str, Any]) -> str:
    """Return an example's arguments on one line: the value alone where there is one, else each by its name."""
    said = {name: flat(str(value)) for name, value in arguments.items() if str(value).strip()}
    return cut(next(iter(said.values())) if len(said) == 1 else " ".join(f"{name}={value}" for name, value in said.items()), _VALUE_CHARS)


def step_shows(step: Row) -> bool:
    """Return whether a step says more than a tool's name, and does something: a test run, a look are what everybody does."""
    key = joined(step["tool"], step["action"])
    if role_of(key) is not Role.ACTS or runs_tests(key):
        return False
    return any(_tells(value) for value in (step.get("arguments_example") or {}).values())


def _tells(value: Any) -> bool:
    """Return whether a value of an example says something: neither a placeholder nor a bare number."""
    if isinstance(value, Mapping):
        return any(map(_tells, value.values()))
    if isinstance(value, list):
        return any(map(_tells, value))
    text = str(value).strip()
    return any(c.isalpha() for c in text) and not (text.startswith("<") and text.endswith(">") and " " not in text)


def _step(step: Row) -> str:
    return f"{_call(step)}: {flat(step['why'])}"


def _call(step: Row) -> str:
    """Return a call with its arguments; the name of a program that its command begins with is said once."""
    said = arguments_text(step["arguments_example"])
    return f"{step['tool']} `{said}`" if is_shell(step["tool"]) else f"{joined(step['tool'], step['action'])} {said}"


def _noted(row: Row) -> str:
    return f"Noted by who got past such an error: {cut(row['lesson'], _SENTENCE_CHARS)} [{cut_id(row['episode_id'])}]"


def _noted_at(row: Row) -> str:
    return f"{noted(cut(row['lesson'], _SENTENCE_CHARS), row['alike'], worked=row['worked'])} [{cut_id(row['episode_id'])}]"


def _warning(warning: Row) -> str:
    return f"Warning: {cut(warning['message'], _SENTENCE_CHARS)}{_evidence(warning)}"


def _next(answer: Row) -> Iterator[str]:
    """Yield the next step, where an attempt that succeeded at this very task did it here; not what is told of that attempt anyway."""
    told = {row["episode_id"]: " ".join(row["did"]) for row in answer.get("precedents") or () if row["worked"]}
    for row in answer.get("suggestions") or ():
        if row.get("basis") and step_shows(row) and arguments_text(row["arguments_example"]) not in told.get(row["evidence"][0], ""):
            yield f"Next, {row['basis']}: {_call(row)}{_evidence(row)}"
            return


def _first(book: Row) -> str:
    return next(iter(book.get("evidence") or ()), "")


def _evidence(row: Row) -> str:
    ids = row.get("evidence") or ()
    return f" [{cut_id(ids[0])}]" if ids else ""


def _labelled(answer: Row, lines: list[str], nothing: str) -> str:
    notes = [f"Note: {flat(lesser)}" for lesser in answer.get("degraded") or ()]
    if not lines:
        return "\n".join([nothing, *notes])
    asks = f" Say what helped: give_feedback(recommendation_id={answer['recommendation_id']})" if answer.get("recommendation_id") else ""
    return "\n".join([f"{LABEL}{asks}", *lines, *notes])
