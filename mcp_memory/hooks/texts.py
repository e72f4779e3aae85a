"""What a tool answered, as the text that a person would read, and whether it says that the call failed. No host's JSON is kept as such."""

import json

from mcp_memory.domain.inference import looks_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Of an answer that is an object: where its text is, the first that is there. What lists the old file in full is not among them.
_TEXT_KEYS = (
    *("llmContent", "textResultForLlm", "text_result_for_llm", "content", "text", "output", "result", "message", "answer", "filenames"),
    "matches",
)
_OK = frozenset({"success", "succeeded", "ok", "completed"})
_WRAPPERS = ("<untrusted_context>", "</untrusted_context>", "<tool_use_error>", "</tool_use_error>")
_ERROR_MARK = "<tool_use_error>"  # how Claude Code marks a call that it did not make
_NO_SUCH = ("No such file or directory", "Permission denied", "command not found", "Is a directory", "Not a directory")
_NOTE_START, _NOTE_CODE = "<shellId: ", " completed with exit code "
_FORM_FIELDS = frozenset({"Command", "Directory", "Error", "Exit Code", "Signal", "Process Group PGID", "Background PIDs"})


def answered(response: "Any") -> tuple[str, bool]:
    """Return a tool's answer as text, and whether it says that the call failed."""
    if isinstance(response, str) and response.startswith("{") and '"stdout"' in response:  # Cursor's: the answer as JSON in a string
        response = _decoded(response)
    if isinstance(response, str):
        return _plain(response)
    if not isinstance(response, dict):
        return text_of(response), False
    if isinstance(response.get("stdout"), str):  # the shell tool: both streams, in which the test runner tells
        text = "\n".join(part for part in (response["stdout"], str(response.get("stderr") or "")) if part)
        code = response.get("exitCode", response.get("exit_code"))
        failed = bool(response.get("interrupted")) or (looks_failed(text) if code is None else code not in (0, "0"))
        return text, failed
    if isinstance(told := response.get("error"), dict | str) and told:
        return text_of(told) or text_of(response), True
    failed = response.get("success") is False or bool(response.get("is_error") or response.get("isError"))
    kind = response.get("resultType", response.get("result_type"))
    text, says_so = _plain(text_of(response))
    return text, failed or says_so or (isinstance(kind, str) and kind not in _OK)


def _decoded(text: str) -> "Any":
    try:
        return json.loads(text)
    except ValueError:
        return text


def text_of(value: "Any") -> str:
    """Return the text in a tool's answer: a string, blocks of text, or an object that has its text under a usual name."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(part for part in map(text_of, value) if part)
    if not isinstance(value, dict):
        return str(value)
    if isinstance(value.get("structuredPatch"), list) and value["structuredPatch"]:
        return _patch(value)
    if isinstance(file := value.get("file"), dict) and "content" in file:  # a file that was read
        return text_of(file["content"])
    if isinstance(parts := value.get("response_parts"), list):  # Qwen's, of a batch
        return "\n".join(text_of(_response_part(part)) for part in parts)
    if isinstance(value.get("filePath"), str):  # a file that was written; what it holds is among the arguments
        return f"{value.get('type') or 'changed'} {value['filePath']}"
    for key in _TEXT_KEYS:
        if key in value and (text := text_of(value[key])):
            return text
    return json.dumps(value, ensure_ascii=False)


def _response_part(part: "Any") -> "Any":
    answer = part.get("functionResponse", part) if isinstance(part, dict) else part
    return answer.get("response", answer) if isinstance(answer, dict) else answer


def _patch(value: "dict[str, Any]") -> str:
    """Return an edit as its changed lines, as `diff` shows them."""
    lines = [f"edited {value.get('filePath') or ''}".rstrip()]
    for hunk in value["structuredPatch"]:
        if isinstance(hunk, dict):
            lines += [f"@@ -{hunk.get('oldStart')} +{hunk.get('newStart')} @@", *map(str, hunk.get("lines") or [])]
    return "\n".join(lines)


def _plain(text: str) -> tuple[str, bool]:
    """Return a text without what a host wraps around it, and whether it says that the call failed."""
    marked = _ERROR_MARK in text
    for mark in _WRAPPERS:
        text = text.replace(mark, "")
    text = text.strip("\n") if marked or text.startswith("\n") else text
    text, failed = bare(text)
    return text, marked or looks_failed(text) or _is_complaint(text) if failed is None else failed


def bare(text: str) -> tuple[str, bool | None]:
    """Return what a command printed, without what a host says about it in the same text, and whether that says it failed.

    None: nothing is said. What the hosts say has numbers that differ from run to run, so the same error would not be known again.
    """
    if (form := _shell_form(text)) is not None:
        return form
    body, _, last = text.rstrip().rpartition("\n")
    if last.startswith(_NOTE_START) and last.endswith(">") and _NOTE_CODE in last:  # Copilot CLI's
        return body, last[:-1].partition(_NOTE_CODE)[2] != "0"
    return text, None


def _shell_form(text: str) -> tuple[str, bool] | None:
    """Read the form that Gemini CLI and Qwen Code fill in for a command: `Output: …`, then `Error: (none)`, `Exit Code: 1` and the like."""
    lines = text.strip().splitlines()
    first = next((number for number, line in enumerate(lines[:3]) if line.startswith("Output: ")), None)
    if first is None or any(line.partition(": ")[0] not in _FORM_FIELDS for line in lines[:first]):
        return None
    fields: dict[str, str] = {}
    while len(lines) > first + 1 and lines[-1].partition(": ")[0] in _FORM_FIELDS:
        name, _, fields[name] = lines.pop().partition(": ")
    body = "\n".join(lines[first:]).removeprefix("Output: ")
    if fields.get("Error", "(none)") != "(none)":
        body += f"\n{fields['Error']}"
    failed = fields.get("Exit Code", "0") not in ("0", "(none)") or fields.get("Signal", "(none)") != "(none)"
    return "" if body == "(empty)" else body, failed


def _is_complaint(text: str) -> bool:
    """Return whether all that a command said is one line of a usual complaint, for hosts that tell no exit status."""
    line = text.strip()
    return len(line) < 300 and "\n" not in line and ": " in line and line.endswith(_NO_SUCH)
