"""Whether a tool's answer says that the call failed, as APIs and MCP servers say it: by an error and by nothing else. Pure."""

import json
import re
from typing import Any

MAX_CHARS = 20_000  # of an answer that is looked into: one that only says what went wrong is short
# What stands beside an error where nothing was done; an answer with anything else in it may have done its work in spite of one.
_BESIDE_TEXT = """
error errors iserror is_error success ok status statuscode status_code code message msg detail details type title reason hint timestamp path
instance request_id requestid trace_id documentation_url docs content structuredcontent meta _meta
"""
_BESIDE = frozenset(_BESIDE_TEXT.split())
_NOTHING: tuple[Any, ...] = (None, "", [], {})
_WORDS = ("error", "errors", "message", "msg", "detail", "details", "reason", "title", "content", "text")
FIRST_FAILING_STATUS = 400  # of HTTP
MAX_SAID_CHARS = 2_000  # of an answer in plain text that is nothing but an error
_LEVELS = re.compile(r"^\W*(?:\S+ ){0,2}(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL)\b", re.M)  # of several lines of a log that was read
_SAYS_ERROR = re.compile(r"(?:[\w.]*(?:Error|Exception)|(?i:error|failed|failure|fatal|panic)(?: \d+)?) ?[:!]\s*(?=(?:\W*[^\W\d_]{2,}){2})")


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
    >>> failure_told('{"error": null, "rows": 3}'), failure_told('{"error": "2 rows skipped", "rows": [1, 2]}'), failure_told("error: 7")
    ('', '', '')
    >>> failure_told("FAILED: permission denied to alter role"), failure_told("Error 404: no such ticket")
    ('FAILED: permission denied to alter role', 'Error 404: no such ticket')
    >>> failure_told("2 passed\\nError: no coverage"), failure_told("Errors: none found"), failure_told("ERROR: disk full\\nINFO: up")
    ('', '', '')
    """
    text = observation.strip()
    if _SAYS_ERROR.match(text):
        return text if len(text) <= MAX_SAID_CHARS and len(_LEVELS.findall(text)) < 2 else ""
    if not text.startswith("{") or not text.endswith("}") or len(text) > MAX_CHARS:
        return ""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(told, dict) or any(name.casefold() not in _BESIDE and value not in _NOTHING for name, value in told.items()):
        return ""
    said = {name.casefold(): value for name, value in told.items()}
    return (_words(said) or text) if _failed(said) else ""


def _failed(said: dict[str, Any]) -> bool:
    if said.get("iserror") is True or said.get("is_error") is True or said.get("success") is False or said.get("ok") is False:
        return True
    status = next((said[name] for name in ("status", "statuscode", "status_code") if isinstance(said.get(name), int)), 0)
    claims = said.get("success") is True or said.get("ok") is True or 0 < status < FIRST_FAILING_STATUS
    return status >= FIRST_FAILING_STATUS or (not claims and bool(said.get("error") or said.get("errors")))


def _words(value: Any) -> str:
    """Return the first text under a name that a message has."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return next((words for part in value if (words := _words(part))), "")
    if isinstance(value, dict):
        return next((words for name in _WORDS if (words := _words(value.get(name)))), "")
    return ""
