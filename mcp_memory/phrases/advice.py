"""Why a next step is suggested, in a line. Pure."""

from collections.abc import Sequence

from mcp_memory.phrases.words import counted, numbers, quoted

AS_IN_A_SUCCESS = "as in an attempt that succeeded"


def fixed(name: str, times: int, failures: str) -> str:
    """Return that a tool made failed calls work.

    >>> fixed("edit", 3, among(4, same_error=True)), got_on("cat", 1, among(9, same_error=False))
    ('edit fixed 3 of 4 failures like this one', '1 of 9 failures with other messages got on with cat')
    """
    return f"{name} fixed {times} of {failures}"


def got_on(name: str, times: int, failures: str) -> str:
    """Return that another tool was gone on with after failures."""
    return f"{times} of {failures} got on with {name}"


def went_on(name: str, times: int, failures: str) -> str:
    """Return that a tool was simply what worked next after failures."""
    return f"{times} of {failures} went on with {name}"


def among(failures: int, *, same_error: bool) -> str:
    """Return how many failures are spoken of, and of what kind."""
    return f"{counted(failures, 'failure')} {'like this one' if same_error else 'with other messages'}"


def again(key: str) -> str:
    """Return the failed tool, called another way.

    >>> fixed(again("edit"), 3, among(4, same_error=True)), got_on(again("edit"), 1, among(9, same_error=False))
    ('another call of edit fixed 3 of 4 failures like this one', '1 of 9 failures with other messages got on with another call of edit')
    """
    return f"another call of {key}"


def worked_otherwise(change: str, times: int, of: int) -> str:
    """Return how a failed call was made again where it then worked; without *times* only of the latest it is known that most were.

    >>> worked_otherwise("add `--user`", 4, 5)
    'After this error, where the call worked again, that was with this difference (4 of 5 times): add `--user`'
    >>> worked_otherwise("add `--user`", 0, 0)
    'After this error, where the call worked again, that was with this difference (mostly, of late): add `--user`'
    """
    how_often = f"{times} of {of} times" if times else "mostly, of late"
    return f"After this error, where the call worked again, that was with this difference ({how_often}): {change}"


def name_given(line: str, name: str) -> str:
    """Return that an edit went through with a line that gives the name which was unknown."""
    return f"a line that gives the name, e.g. {quoted(line)} for {name}"


def indented(now: str, then: str, place: tuple[int, int, int] | None) -> str:
    """Return that an edit went through with its lines indented otherwise; *place*: a line to be replaced, its and the text's indentation.

    >>> indented("8", "0", None)
    'the same lines indented, e.g. by 8 instead of 0'
    >>> indented("8", "0", (85, 12, 0))
    'the same lines indented, e.g. by 8 instead of 0; here line 85 is indented by 12, the text by 0'
    """
    here = f"; here line {place[0]} is indented by {place[1]}, the text by {place[2]}" if place else ""
    return f"the same lines indented, e.g. by {now} instead of {then}{here}"


def other_lines(now: str, then: str, *, more: bool) -> str:
    """Return that an edit went through where it replaced more or fewer lines.

    >>> other_lines("69:72", "70:72", more=True)
    'more of the lines around replaced, e.g. 69:72 instead of 70:72'
    """
    return f"{'more of the lines around' if more else 'fewer lines'} replaced, e.g. {now} instead of {then}"


def with_edits_of(first: str, others: Sequence[str]) -> str:
    """Return an edit after which a call worked, and what was edited beside it: any of them may be what made it work.

    >>> with_edits_of("edit a.py:7: + x", ["b.py:9: - y"]), with_edits_of("edit a.py:7: + x", ["b.py: + y", "c.py: + z", "d.py: + z"])
    ('edit a.py:7: + x (with b.py:9: - y)', 'edit a.py:7: + x (with b.py: + y, and 2 more files)')
    """
    if not others:
        return first
    more = f", and {counted(len(others) - 1, 'more file')}" if len(others) > 1 else ""
    return f"{first} (with {others[0]}{more})"


def next_step(key: str, before: str, used: int, steps: int) -> str:
    """Return how often a tool came next.

    >>> next_step("edit", "open", 3, 4)
    'after open, 3 of 4 comparable steps used edit'
    """
    return f"{f'after {before}' if before else 'at the start'}, {used} of {steps} comparable steps used {key}"


def contrast(won: int, runs: int, others_won: int, others: int) -> str:
    """Return how runs that took a step ended, beside those that did not."""
    return f"{won} of these {runs} runs succeeded, {others_won} of the {others} that did otherwise"


def still_to_come(key: str, used: int, runs: int) -> str:
    """Return how many runs used a tool at all."""
    return f"still to come: {used} of the {counted(runs, 'nearest run')} used {key}"


def own_habit(key: str, times: int) -> str:
    """Return how often this run did so itself."""
    return f"this run itself has used {key} {counted(times, 'time')}"


def usual(key: str, used: int, runs: int) -> str:
    """Return what speaks for a tool that nobody used at this point: how many runs used it at all.

    >>> usual("edit", 3, 9), usual("deploy", 0, 9)
    ('3 of the 9 nearest runs used edit at some point', 'none of the 9 nearest runs used deploy; others in the project did')
    """
    if not used:
        return f"none of the {counted(runs, 'nearest run')} used {key}; others in the project did"
    return f"{used} of the {counted(runs, 'nearest run')} used {key} at some point"


def failed_here(key: str, steps: Sequence[int], message: str, *, changed: bool) -> str:
    """Return that the very call failed in this run.

    >>> failed_here("make", [3, 4, 7], "no rule", changed=False)
    'make with these arguments failed at steps 3-4, 7 of this episode: `no rule`; nothing was changed since'
    """
    since = "" if changed else "; nothing was changed since"
    return f"{key} with these arguments failed at {numbers(steps)} of this episode: {quoted(message)}{since}"


def failed_in_quotes(key: str, argument: str, tried: int, worked: int, bare: int) -> str:
    """Return that calls with a value in quotes all failed, and how those without went.

    >>> failed_in_quotes("search", "query", 48, 212, 340)
    'search with `query` in quotes failed in 48 of 48 earlier calls like it; without the quotes it worked in 212 of 340'
    """
    failed = f"{key} with `{argument}` in quotes failed in {tried} of {tried} earlier calls like it"
    return f"{failed}; without the quotes it worked in {worked} of {bare}"


def timed_out_too(key: str, calls: int, attempts: int, of: int, went: str) -> str:
    """Return in how many attempts at the task calls of a program timed out, and which call *went* through; without it none succeeded.

    >>> timed_out_too("bash:pip install", 5, 2, 3, "pip install --no-deps notebook")
    'bash:pip install timed out in 5 calls of 2 of 3 earlier attempts at this task; there `pip install --no-deps notebook` went through'
    >>> timed_out_too("bash:python", 10, 2, 2, "")
    'bash:python timed out in 10 calls of 2 of 2 earlier attempts at this task, none of which succeeded'
    """
    said = f"{key} timed out in {calls} calls of {attempts} of {of} earlier attempts at this task"
    return f"{said}; there `{went}` went through" if went else f"{said}, none of which succeeded"


def refused_there(key: str, site: str, calls: int, runs: int, message: str, ways: Sequence[tuple[str, str]]) -> str:
    """Return that a tool failed at a site in several runs, and what went through there: the same at other sites, or other tools.

    >>> refused_there("fetch", "journal.example", 3, 2, "", [("fetch", "preprints.example"), ("browser_open", "journal.example")])
    'fetch failed at journal.example in 3 calls of 2 earlier runs; there fetch at preprints.example and browser_open went through'
    >>> refused_there("fetch", "journal.example", 2, 2, "403 Forbidden", [])
    'fetch failed at journal.example in 2 calls of 2 earlier runs: `403 Forbidden`'
    """
    said = f"{key} failed at {site} in {calls} calls of {runs} earlier runs"
    said = f"{said}: {quoted(message)}" if message else said
    went = [tool if there == site else f"{tool} at {there}" for tool, there in ways]
    return f"{said}; there {' and '.join(went)} went through" if went else said


def only_in_failures(key: str, failures: int, of: int, successes: int) -> str:
    """Return that a call went well, but only attempts that failed made it.

    >>> only_in_failures("delete_volume", 2, 3, 1)
    'delete_volume with these arguments went well itself, but 2 of 3 failures at this task made that call and none of 1 success'
    """
    none = f"none of {successes} success{'' if successes == 1 else 'es'}"
    return f"{key} with these arguments went well itself, but {failures} of {counted(of, 'failure')} at this task made that call and {none}"


def failed_before(key: str, failed: int, tried: int, message: str, *, same_call: bool) -> str:
    """Return that such a call failed in earlier runs; *message* is the real error of the one most alike, "" where it is not shown.

    >>> failed_before("bash:make", 2, 2, "no rule", same_call=True)
    'bash:make with these arguments failed in 2 of 2 earlier tries at this task: `no rule`'
    """
    like = "with these arguments failed in" if same_call else "failed in"
    where = "earlier tries at this task" if same_call else "earlier tries like this one"
    said = f"{key} {like} {failed} of {tried} {where}"
    return f"{said}: {quoted(message)}" if message else said
