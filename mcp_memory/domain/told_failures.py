"""Whether a tool's answer says that the call failed, as APIs and MCP servers say it: by an error and by nothing else. Pure."""

import ast
import json
import re
from typing import Any

MAX_CHARS = 20_000  # of an answer that is looked into: one that only says what went wrong is short
# What stands beside an error where nothing was done; an answer with anything else in it may have done its work in spite of one.
_BESIDE_TEXT = """
error errors iserror is_error success ok status statuscode status_code code message msg detail details type title reason hint timestamp path
instance request_id requestid trace_id documentation_url docs content structuredcontent meta _meta errormessages error_message errormessage
error_description error_code errorcode exception stacktrace stack param
"""
_BESIDE = frozenset(_BESIDE_TEXT.split())
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_SAY = ("error", "errors", "errormessages", "error_message", "errormessage", "exception")  # that something went wrong, by their names alone
_WORDS = (*_SAY[:2], "message", "msg", "detail", "details", "reason", "title", "content", "text")
FIRST_FAILING_STATUS = 400  # of HTTP
MAX_SAID_CHARS = 2_000  # of an answer in plain text that is nothing but an error
_MAX_LINE_CHARS = 400  # of one that says it in other words than `Error:`
_LEVELS = re.compile(r"^\W*(?:\S+ ){0,2}(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL)\b", re.M)  # of several lines of a log that was read
_DOING = "executing|calling|running|invoking|while|when|during|from|reading|writing|opening|fetching|creating|updating|deleting|parsing"
_HEADINGS = r"[\w.]*(?:Error|Exception)|(?:[A-Z]\w+ )?(?i:error|failed|failure|fatal|panic)(?: -?\d+)?"
_SAYS_ERROR = re.compile(rf"(?:❌\s*)?(?:{_HEADINGS}|Error (?:{_DOING})\b[^:\n]{{0,80}}) ?[:!]\s*+(?=(?:[\W\d_]*+[^\W\d_]{{2,}}+){{2}})")
# The same said in one line: what was to be done and was not, an answer of HTTP, a heading in another language.
_ONE_LINE = re.compile(
    r"(?:❌ |\[?(?:ERROR|Error)\]? ?[-:] ?\S|(?:Failed|Unable) to [a-z]+\b|(?:Could not|Couldn't|Cannot) [a-z]+ "
    r"|(?:HTTP(?:/\d\.\d)?(?: error)?:? )?[45]\d\d (?:Client Error|Server Error|[A-Z]\w+(?: [A-Z]\w+){0,3}(?:$|[:.]))"
    r"|HTTP(?: error)? [45]\d\d\b|Request failed with status code [45]\d\d|Invalid (?:argument|parameter|request|input|action|command)s?\b"
    r"|(?:Fehler|Erreur|Errore|Erro|Ошибка|错误|失败|エラー|오류)(?: [^:：\n]{1,40})? ?[:：]|Error (?:al|en|de) [^:\n]{1,40}:"
    r"|(?:Permission|Access) denied\b|Unauthorized\b|Forbidden\b|Rate limit exceeded|No known action matches"
    r"|Unknown (?:action|command|tool)\b"
    r"|[A-Z][\w' #-]{1,60} (?:not found|does not exist|is (?:invalid|required|not allowed|not available))[.!]?$)"
)
_TAG = re.compile(r"<(\w*error)>(.*)</\1>", re.S)
_MAY_TELL = re.compile(r"rror|\b[Ff]alse\b|\b[45]\d\d\b")
_AROUND = frozenset(["result", "results", "response", "data", "output"])  # the one name that stands around an answer


def failure_told(observation: str) -> str:
    """Return what an answer says went wrong, "" where it does not say so, or holds anything besides.

    >>> failure_told('{"error": "page_size must be at most 100", "status": 422}')
    'page_size must be at most 100'
    >>> failure_told('{"isError": true, "content": [{"type": "text", "text": "no such user"}]}')
    'no such user'
    >>> failure_told('{"error": {"code": 7, "message": "quota exceeded"}}'), failure_told('{"ok": false, "msg": "locked"}')
    ('quota exceeded', 'locked')
    >>> failure_told('{"data": null, "errors": [{"message": "unknown field"}]}')
    'unknown field'
    >>> failure_told('{"errorMessages": [], "errors": {"team": "Team is required."}}'), failure_told("API Error: 529 overloaded_error")
    ('team: Team is required.', 'API Error: 529 overloaded_error')
    >>> failure_told('{"error": null, "rows": 3}'), failure_told('{"error": "2 rows skipped", "rows": [1, 2]}'), failure_told("error: 7")
    ('', '', '')
    >>> failure_told("FAILED: permission denied to alter role"), failure_told("Error 404: no such ticket")
    ('FAILED: permission denied to alter role', 'Error 404: no such ticket')
    >>> failure_told("2 passed\\nError: no coverage"), failure_told("Errors: none found"), failure_told("ERROR: disk full\\nINFO: up")
    ('', '', '')
    >>> failure_told("<tool_error>no such sheet</tool_error>"), failure_told("{'error': 'not signed in'}"), failure_told("404 Not Found")
    ('no such sheet', 'not signed in', '404 Not Found')
    >>> [failure_told(said) for said in ('[{"error": "no such folder"}]', '{"result": {"error": "locked"}}', '[{"error": "a", "n": 2}]')]
    ['no such folder', 'locked', '']
    """
    text = observation.strip()
    if _SAYS_ERROR.match(text):
        return text if len(text) <= MAX_SAID_CHARS and len(_LEVELS.findall(text)) < 2 else ""
    if found := _TAG.fullmatch(text) if text.startswith("<") else None:
        return found[2].strip()
    if text[:1] not in ("{", "["):
        return text if len(text) <= _MAX_LINE_CHARS and "\n" not in text and _ONE_LINE.match(text) else ""
    told = _inner(_read(text)) if len(text) <= MAX_CHARS and text[-1] in "}]" and _MAY_TELL.search(text) else None
    if not isinstance(told, dict) or any(name.casefold() not in _BESIDE and value not in _NOTHING for name, value in told.items()):
        return ""
    said = {name.casefold(): value for name, value in told.items()}
    return (_words(said) or text) if _failed(said) else ""


def _read(text: str) -> Any:
    """Return what an answer is the JSON or the Python literal of; None where it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text) if text.startswith("{'") else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _inner(told: Any) -> Any:
    """Return what stands in a list of one, and under the only name around it."""
    while (isinstance(told, list) and len(told) == 1) or (isinstance(told, dict) and len(told) == 1 and _AROUND.issuperset(told)):
        told = told[0] if isinstance(told, list) else next(iter(told.values()))
    return told


def _failed(said: dict[str, Any]) -> bool:
    if said.get("iserror") is True or said.get("is_error") is True or said.get("success") is False or said.get("ok") is False:
        return True
    status = next((said[name] for name in ("status", "statuscode", "status_code") if isinstance(said.get(name), int)), 0)
    claims = said.get("success") is True or said.get("ok") is True or 0 < status < FIRST_FAILING_STATUS
    return status >= FIRST_FAILING_STATUS or (not claims and any(map(said.get, _SAY)))


def _words(value: Any) -> str:
    """Return the first text under a name that a message has."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return next((words for part in value if (words := _words(part))), "")
    if isinstance(value, dict):
        named = next((words for name in _WORDS if (words := _words(value.get(name)))), "")
        return named or "; ".join(f"{name}: {words}" for name, part in value.items() if isinstance(part, str) and (words := part.strip()))
    return ""
