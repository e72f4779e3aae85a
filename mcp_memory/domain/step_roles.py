"""What a step can have done to the state of things, read off its key: looked, passed something on, or acted. Pure.

A look cannot have fixed anything, and a step that passes something on (a thought, a plan, an answer, the end of the work) is no
alternative to anything. What a name does not say counts as acting.
"""

import enum
import re
from functools import lru_cache

_PASSING_TEXT = """
submit finish finished done complete exit quit stop terminate respond reply answer think thought reason reasoning plan todo todos todowrite
reflect note message ask say speak wait sleep noop transfer handoff escalate talk attempt
"""
# Verbs of the above that act on a thing that is named after them (`submit_order`, `transfer_funds`), and what is no such thing.
_PASSING_ALONE = frozenset(["submit", "finish", "finished", "complete", "exit", "quit", "stop", "terminate", "transfer", "done", "answer"])
_PASSED_TEXT = """
answer answers solution result results response reply final patch report summary task tasks work turn run episode session conversation
thread chat dialog call to human agent user operator person cost
"""
_PASSED = frozenset(_PASSED_TEXT.split())
_LOOKING_TEXT = """
read view open get list ls ll dir search find grep rg ag cat head tail less more nl scroll goto show display describe fetch lookup look
query browse inspect stat status wc tree diff log logs which whereis pwd echo file du df ps env print glob check count calculate
examine navigate screenshot snapshot journalctl dmesg lsof
"""
_ACTING_TEXT = """
add append apply build buy call cancel change clear close commit complete copy create delete deploy disable do drop edit enable execute fill
fix format insert install kill make mark merge modify move patch place post publish push put remove rename replace reset restart
restore revert run save send set start stop submit sync transfer undo update upgrade upload write
"""
_PASSING, _LOOKING = frozenset(_PASSING_TEXT.split()), frozenset(_LOOKING_TEXT.split())
_ACTING = frozenset(_ACTING_TEXT.split())
# After whose it is: `web_search`, `excel_read`.
_LOOKING_LAST = frozenset(
    {"search", "read", "fetch", "lookup", "find", "query", "browse", "echo", "get", "inspect", "navigate", "screenshot", "snapshot"}
)
_LOOKING_AFTER_MANY = frozenset({"list", "log", "logs", "top", "describe", "view", "status"})  # `pods_list`: what they are, then the verb
_LOOKING_PROGRAMS = frozenset({"type"})  # whose names say something else of a tool: a browser's `type` fills a form
_SERVER = re.compile(r"mcp__.+?__(?=.)")  # how hosts name an MCP server before its tool
WRITES = (" >", " -i")  # `cat >`, `sed -i`
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_ENDS = frozenset({"submit", "finish", "finished", "done", "complete", "answer", "terminate"})
_MOVES = frozenset({"open", "goto", "scroll"})
_RUNS_TEXT = """
test tests pytest unittest tox nox jest vitest mocha ava cypress rspec phpunit ctest nextest lint eslint stylelint mypy pyright ruff flake
clippy typecheck
"""
_RUNS = frozenset(_RUNS_TEXT.split())


class Role(enum.Enum):
    LOOKS = "looks"
    PASSES = "passes"
    ACTS = "acts"


@lru_cache(maxsize=20_000)
def role_of(key: str) -> Role:
    """Return what a step of that key can have done.

    >>> [role_of(k).value for k in ("Read", "bash:grep", "editor:view", "get_user_details", "find_file", "bash:git diff")]
    ['looks', 'looks', 'looks', 'looks', 'looks', 'looks']
    >>> [role_of(k).value for k in ("submit", "think", "transfer_to_human_agents", "TodoWrite", "exit_cost")]
    ['passes', 'passes', 'passes', 'passes', 'passes']
    >>> [role_of(k).value for k in ("submit_job", "transfer_funds", "complete_order", "submit_final_answer", "complete_task")]
    ['acts', 'acts', 'acts', 'passes', 'passes']
    >>> [role_of(k).value for k in ("edit", "bash:cat >", "bash:sed -i", "bash:pip install", "editor:str_replace", "open_door_lock")]
    ['acts', 'acts', 'acts', 'acts', 'acts', 'looks']
    >>> [role_of(k).value for k in ("mcp__github__get_repository", "crm_list_contacts", "run_list_query", "browser_click", "x_post_view")]
    ['looks', 'looks', 'acts', 'acts', 'acts']
    >>> [role_of(k).value for k in ("web_search", "excel_read", "topic_echo", "mark_read", "run_query", "attach_file")]
    ['looks', 'looks', 'looks', 'acts', 'acts', 'acts']
    >>> [role_of(k).value for k in ("pods_list", "pods_log", "nodes_top", "events_delete", "attach_log")]
    ['looks', 'looks', 'looks', 'acts', 'acts']
    >>> [role_of(k).value for k in ("type", "browser_type", "bash:type", "browser_snapshot", "browser_take_screenshot", "create_snapshot")]
    ['acts', 'acts', 'looks', 'looks', 'looks', 'acts']
    >>> [role_of(k).value for k in ("log_in", "logOut", "log_message", "get_log")]
    ['acts', 'acts', 'looks', 'looks']
    """
    tool, _, what = key.partition(":")
    if key.endswith(WRITES):
        return Role.ACTS
    words = [word.lower() for word in _WORD.findall(_SERVER.sub("", what or tool))]
    if not words:
        return Role.ACTS
    if (words[0] in _PASSING and not _acts_on_a_thing(words)) or (not what and "".join(words) in _PASSING):
        return Role.PASSES
    if words[0] == "log" and words[1:2] and words[1] in ("in", "out", "on", "off"):
        return Role.ACTS
    verb = words[1] if words[0] in ("git", "kubectl", "docker", "gh") and len(words) > 1 else words[0]
    if not what and len(words) > 2 and verb == words[0] and verb not in _LOOKING | _ACTING:
        verb = words[1]  # the first word is whose tool it is: `crm_list_contacts`, `github_search_code`
    ends_with_look = words[-1] in _LOOKING_LAST or (words[0].endswith("s") and words[-1] in _LOOKING_AFTER_MANY)
    if not what and verb not in _LOOKING and ends_with_look and _ACTING.isdisjoint(words):
        return Role.LOOKS
    return Role.LOOKS if verb in _LOOKING or (what and verb in _LOOKING_PROGRAMS) else Role.ACTS


def _acts_on_a_thing(words: list[str]) -> bool:
    """Return whether the words of a tool's name say what is submitted, finished, transferred, and that is no answer and no work."""
    return words[0] in _PASSING_ALONE and len(words) > 1 and _PASSED.isdisjoint(words[1:])


def changes_state(key: str) -> bool:
    """Return whether what was answered before a step of that key, when it works, may be answered otherwise after it.

    >>> [changes_state(k) for k in ("edit", "open", "bash:pip install", "bash:pytest", "Read", "think")]
    [True, True, True, False, False, False]
    """
    return moves(key) or (role_of(key) is Role.ACTS and not runs_tests(key))


@lru_cache(maxsize=10_000)
def gives_answer(key: str) -> bool:
    """Return whether a step of that key ends the work: what it passes on is the result.

    >>> [gives_answer(k) for k in ("finish", "submit", "FinalAnswer", "respond", "think", "edit", "submit_order")]
    [True, True, True, False, False, False, False]
    """
    words = [word.lower() for word in _WORD.findall(key)]
    return not _ENDS.isdisjoint(words) and not _acts_on_a_thing(words)


@lru_cache(maxsize=10_000)
def moves(key: str) -> bool:
    """Return whether a step of that key looks at another place, which later calls of an editor with an open file go by.

    >>> moves("open"), moves("scroll_down"), moves("find_file"), moves("open_ticket")
    (True, True, False, False)
    """
    tool, _, what = key.partition(":")
    words = [word.lower() for word in _WORD.findall(what or tool)]
    return words[:1] == ["scroll"] or (len(words) == 1 and words[0] in _MOVES) or words == ["open", "file"]


@lru_cache(maxsize=10_000)
def runs_tests(key: str) -> bool:
    """Return whether a step of that key runs tests or checks: it acts, but changes nothing.

    >>> [runs_tests(key) for key in ("bash:pytest", "bash:python3 -m unittest", "bash:npx vitest", "bash:cargo clippy", "edit")]
    [True, True, True, True, False]
    """
    return any(word.lower() in _RUNS for word in _WORD.findall(key))


@lru_cache(maxsize=10_000)
def says_what(key: str) -> bool:
    """Return whether a key tells what was done without the call's values: a verb and a thing, not the verb alone.

    >>> [says_what(k) for k in ("cancel_reservation", "bookFlight", "crm:add_contact", "click", "act", "mcp__browser__click")]
    [True, True, True, False, False, False]
    """
    tool, _, what = key.partition(":")
    return len(_WORD.findall(_SERVER.sub("", what or tool))) > 1
