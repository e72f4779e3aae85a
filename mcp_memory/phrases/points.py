"""What an earlier attempt tells, a line each. Pure."""

from collections.abc import Mapping, Sequence

from mcp_memory.phrases.words import counted

NOTHING_CHANGED = "changed nothing"


def changed(change: str, *, is_beside: bool = False) -> str:
    """Return what was changed, with its file; *is_beside*: a test or a text, where no code was.

    >>> changed("cart.py: + x = 1"), changed("tests/test_cart.py: + x = 1", is_beside=True)
    ('changed cart.py: + x = 1', 'changed no code, but beside it tests/test_cart.py: + x = 1')
    """
    return f"changed {'no code, but beside it ' if is_beside else ''}{change}"


def did(calls: Sequence[str], *, more: bool = False) -> str:
    """Return the calls that did something, in order; *more*: there were others before them.

    >>> did(["cancel “7”", "book “8”"]), did(["book “8”"], more=True)
    ('did cancel “7”; book “8”', 'did …; book “8”')
    """
    return f"did {'; '.join(['…', *calls] if more else calls)}"


def repeated(call: str, times: int, *, is_all: bool = True) -> str:
    """Return a call with how often it was made, each time with other values; unless *is_all* it may have been made more often.

    >>> repeated("cancel(id)", 1), repeated("cancel(id)", 2), repeated("cancel(id)", 7, is_all=False)
    ('cancel(id)', 'cancel(id) twice', 'cancel(id) 7 times or more')
    """
    how_often = "" if times == 1 else " twice" if times == 2 and is_all else f" {times} times{'' if is_all else ' or more'}"
    return f"{call}{how_often}"


def did_alike(calls: Sequence[str], times: int, of: int) -> str:
    """Return the calls that several successes at tasks like the one at hand made alike.

    >>> did_alike(["`kubectl set env deployment/<…> A=1`"], 2, 3)
    '2 of 3 successes at tasks like this did `kubectl set env deployment/<…> A=1`'
    """
    return f"{times} of {of} successes at tasks like this did {'; '.join(calls)}"


def wrote(text: str, names: Sequence[str]) -> str:
    """Return what a run wrote, and the files that stand in it.

    >>> wrote("clean.py:7: KEYS = [a, b]", ["conf/aws.yaml"]), wrote("map.txt: #S#", [])
    ('wrote clean.py:7: KEYS = [a, b] (names conf/aws.yaml)', 'wrote map.txt: #S#')
    """
    return f"wrote {text}" + (f" (names {', '.join(names)})" if names else "")


def fed(call: str, text: str) -> str:
    """Return a program with the text it was fed.

    >>> fed("`python - <<EOF …`", "cut(30)")
    'ran `python - <<EOF …` with cut(30)'
    """
    return f"ran {call} with {text}"


def found(calls: Sequence[str], answer: str) -> str:
    """Return how a run came to its answer.

    >>> found(["search “Opry Mills”"], "a shopping mall"), found([], "no")
    ('search “Opry Mills”, then answered “a shopping mall”', 'answered “no”')
    """
    return f"{', '.join(calls)}, then answered “{answer}”" if calls else f"answered “{answer}”"


def nearly(answered: str) -> str:
    """Return an answer that others gave in almost the same words.

    >>> nearly("answered “a shopping mall”")
    'answered “a shopping mall” or nearly so'
    """
    return f"{answered} or nearly so"


def in_part(change: str, times: int) -> str:
    """Return a change of which so many of those that are counted left a part.

    >>> in_part("changed cart.py:7: + a = 1; 9: + b = 2", 1)
    'changed cart.py:7: + a = 1; 9: + b = 2 (1 of them only in part)'
    """
    return f"{change} ({times} of them only in part)"


def only(call: str, refused: str, looked: Sequence[str]) -> str:
    """Return that nothing was done but what ended the run, a *call* or, "", a reply; and what was *refused* before, "" for nothing.

    *looked* are the tools that it looked things up with.

    >>> only("transfer_to_human", "", ["get_user"]), only("", "", [])
    ('changed nothing, ended with transfer_to_human', 'only replied: looked nothing up')
    >>> only("", "", ["get_user", "get_order"])
    'changed nothing: only called get_user, get_order and replied'
    >>> only("", "book failed with “no seats”", ["get_user"])
    'changed nothing: book failed with “no seats”, then it replied'
    """
    if refused:
        return f"{changed_nothing(refused)}, then it {f'ended with {call}' if call else 'replied'}"
    if call:
        return f"changed nothing, ended with {call}"
    return f"changed nothing: only called {', '.join(looked)} and replied" if looked else "only replied: looked nothing up"


def changed_nothing(refused: str) -> str:
    """Return that nothing was done because of what was *refused*.

    >>> changed_nothing("book failed with “no seats”")
    'changed nothing: book failed with “no seats”'
    """
    return f"{NOTHING_CHANGED}: {refused}"


def wrong(answers: Mapping[str, bool], said: str) -> str:
    """Return the answers that were rejected, of one attempt or, where there are several, of all that are told together.

    *answers*: each with whether another one was nearly the same.

    >>> wrong({"1974": False, "Julio Cruz": True}, "Answer is INCORRECT"), wrong({"1974": False}, "")
    ('it and other attempts answered “1974”, “Julio Cruz” or nearly so: Answer is INCORRECT', 'answered “1974”')
    """
    whose = "it and other attempts answered" if len(answers) > 1 else "answered"
    told = (f"“{answer}”{' or nearly so' if nearly else ''}" for answer, nearly in answers.items())
    return f"{whose} {', '.join(told)}" + (f": {said}" if said else "")


def overcame(call: str, error: str, how: str, *, itself: bool) -> str:
    """Return what made a failed call work.

    >>> overcame("`python a.py`", "No module named 'yaml'", "`pip install pyyaml`", itself=False)
    "`python a.py` failed with “No module named 'yaml'” and worked after `pip install pyyaml`"
    """
    return f"{call} failed with “{error}”" + (f", {how} worked" if itself else f" and worked after {how}")


def in_code(call: str, before: Sequence[str], added: Sequence[str]) -> str:
    """Return a call in code that worked with what was called before it, and the keywords it had besides.

    >>> in_code("bank.pay", ["bank.login(user)"], ["token="]), in_code("pd.read_csv", [], ["encoding='latin-1'"])
    ('`bank.pay` with token=, after `bank.login(user)`,', "`pd.read_csv` with encoding='latin-1'")
    """
    how = f" with {', '.join(added)}" if added else ""
    return f"`{call}`{how}" + (f"{',' if how else ''} after {', '.join(f'`{name}`' for name in before)}," if before else "")


def overcame_in_code(call: str, error: str, before: Sequence[str], added: Sequence[str]) -> str:
    """Return what made a call in code work: what was called before it, and the keywords it had then.

    >>> overcame_in_code("bank.pay(to)", "401", ["bank.login(user)"], ["token="])
    '`bank.pay(to)` failed with “401” and worked after `bank.login(user)`, with token='
    >>> overcame_in_code("pd.read_csv()", "can't decode", [], ["encoding='latin-1'"])
    "`pd.read_csv()` failed with “can't decode” and worked with encoding='latin-1'"
    """
    how = [f"after {', '.join(f'`{name}`' for name in before)}"] if before else []
    how += [f"with {', '.join(added)}"] if added else []
    return f"`{call}` failed with “{error}” and worked {', '.join(how) or 'called otherwise'}"


def worked_otherwise(key: str, error: str, worked: str, failed: str) -> str:
    """Return with what arguments a failed call worked.

    >>> worked_otherwise("search", "No page", "q=Gator Country", "q=Gator Country guitarist")
    'search failed with “No page”: q=Gator Country went through, q=Gator Country guitarist did not'
    >>> worked_otherwise("change", "To be confirmed", "confirm=True", "no confirm")
    'change failed with “To be confirmed”: with confirm=True it went through'
    """
    if failed.startswith("no ") and len(failed.split()) == 2:
        return f"{key} failed with “{error}”: with {worked} it went through"
    return f"{key} failed with “{error}”: {worked} went through, {failed} did not"


def error_met(key: str, error: str) -> str:
    """Return an error that a tool answered a run before it took other values: it is not what ended the run.

    >>> error_met("book", "no seats on B7")
    'book failed with “no seats on B7”, and it got past that'
    """
    return f"{key} failed with “{error}”, and it got past that"


def tests_failed(failed: int, total: int, names: Sequence[str]) -> str:
    """Return how many tests failed in the end, and which, as far as that is known.

    >>> tests_failed(2, 7, ["test_total", "test_refund"]), tests_failed(9, 9, ["test_a"]), tests_failed(1, 3, [])
    ('2 of 7 tests failed: test_total, test_refund', '9 of 9 tests failed: test_a, …', '1 of 3 tests failed')
    """
    said = f"{failed} of {total} tests failed"
    return f"{said}: {', '.join([*names, *(['…'] if len(names) < failed else [])])}" if names else said


def last_run_failed(error: str) -> str:
    """Return how the last run of what was changed ended.

    >>> last_run_failed("TypeError: no float")
    'its last run failed with “TypeError: no float”'
    """
    return f"its last run failed with “{error}”"


def measured(figure: str, on: str, call: str = "", error: str = "", *, is_best: bool = False, is_old: bool = False) -> str:
    """Return a figure of an attempt that was to reach one, and what it was measured *on*, else with which *call*.

    Of a file the call is the one that made it, and the error the one that it ended with although the file was there; *is_old*: another
    call was to write it after that.

    >>> measured("accuracy 0.59", "tide.bin"), measured("accuracy 0.59", "tide.bin", "`fit -o tide`")
    ('measured accuracy 0.59 on tide.bin', 'measured accuracy 0.59 on tide.bin, which `fit -o tide` had made')
    >>> measured("accuracy 0.59", "tide.bin", "`fit -o tide`", "timed out")
    'measured accuracy 0.59 on tide.bin, which `fit -o tide` had made, though it ended with “timed out”'
    >>> measured("accuracy 0.59", "tide.bin", is_old=True)
    'measured accuracy 0.59 on tide.bin, before another call was to write it anew'
    >>> measured("accuracy 0.59", "", "`fit`"), measured("accuracy 0.59", "", "`fit`", is_best=True)
    ('measured accuracy 0.59 with `fit`', 'measured accuracy 0.59 at best, with `fit`')
    """
    if on:
        made = f", which {call} had made" if call else ""
        made += f", though it ended with “{error}”" if error else ""
        return f"measured {figure} on {on}{made}" + (", before another call was to write it anew" if is_old else "")
    return f"measured {figure}{' at best,' if is_best else ''} with {call}" if call else f"measured {figure}"


def undone(items: Sequence[str]) -> str:
    """Return what an attempt's agent said it had not done.

    >>> undone(["the refund", "its test"])
    'left undone: the refund; its test'
    """
    return f"left undone: {'; '.join(items)}"


def only_looked(call: str) -> str:
    """Return that an attempt did nothing but look, and its last look.

    >>> only_looked("`grep -rl refund .`")
    'changed nothing: only looked, last with `grep -rl refund .`'
    """
    return f"changed nothing: only looked, last with {call}"


def ended_with(call: str, error: str) -> str:
    """Return the call that failed at an attempt's end.

    >>> ended_with("search “Gator”", "No such page")
    'ended with search “Gator”, which failed with “No such page”'
    """
    return f"ended with {call}, which failed with “{error}”"


def met(key: str, error: str, attempts: int, of: int, past: int = 0) -> str:
    """Return the error of a tool that so many attempts met, of which so many got *past* it.

    >>> met("book", "no seats on B7", 2, 3), met("book", "no seats", 3, 3, 1)
    ('book failed in 2 of all 3, once with “no seats on B7”', 'book failed in all 3, once with “no seats”; it went through later in 1')
    >>> met("book", "no seats on B7", 2, 3, 2)
    'book failed in 2 of all 3, once with “no seats on B7”; it went through later'
    """
    later = "" if not past else "; it went through later" + ("" if past == attempts else f" in {past}")
    return f"{key} failed in {f'{attempts} of all {of}' if attempts < of else f'all {of}'}, once with “{error}”{later}"


def met_again(key: str, error: str, times: int, *, is_another: bool = False) -> str:
    """Return the error that one attempt met again and again, to its end; *is_another*: not one of which was said what they did.

    >>> met_again("book", "paid 7, total 9", 5)
    'book failed 5 times in one of them, the last with “paid 7, total 9”, and never went through'
    >>> met_again("book", "paid 7, total 9", 5, is_another=True)
    'in another one book failed 5 times, the last with “paid 7, total 9”, and never went through'
    """
    if is_another:
        return f"in another one {key} failed {times} times, the last with “{error}”, and never went through"
    return f"{key} failed {times} times in one of them, the last with “{error}”, and never went through"


def said_and_done(call: str, line: str, deeds: Sequence[str], *, is_gone: bool) -> str:
    """Return a line that a call was answered with, and what was done then; *is_gone*: after which it was not answered so again.

    >>> said_and_done("`kubectl logs cart`", "missing env A", ["did `kubectl set env deploy/cart A=1`"], is_gone=False)
    '`kubectl logs cart` said “missing env A”; then the run did `kubectl set env deploy/cart A=1`'
    >>> said_and_done("`make`", "no rule", ["did `./configure`", "changed a.mk:1: + all:"], is_gone=True)
    '`make` said “no rule” until the run did `./configure`, changed a.mk:1: + all:'
    """
    return f"{call} said “{line}”{' until the run' if is_gone else '; then the run'} {', '.join(deeds)}"


def failed(call: str, error: str) -> str:
    """Return a call that never worked."""
    return f"never got {call} to work: {error}"


def but_elsewhere(line: str, command: str) -> str:
    """Return what is told of a call that never worked with a command of another attempt that went through.

    >>> but_elsewhere("never got `pip install a b` to work: timed out", "pip install --no-deps a")
    'never got `pip install a b` to work: timed out; in another attempt `pip install --no-deps a` went through'
    """
    return f"{line}; in another attempt `{command}` went through"


def only_failures_called(key: str, failures: int) -> str:
    """Return a tool that attempts that failed used, and those that worked did not.

    >>> only_failures_called("cancel", 2)
    'unlike it, 2 attempts that did not succeed called cancel'
    """
    return f"unlike it, {counted(failures, 'attempt')} that did not succeed called {key}"


def only_failures_changed(path: str, failures: int) -> str:
    """Return a file that attempts that failed changed, and those that worked did not."""
    return f"unlike it, {counted(failures, 'attempt')} that did not succeed changed {path}"
