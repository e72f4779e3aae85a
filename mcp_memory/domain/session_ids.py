"""One name for one turn of an agent host's session, whoever records it.

The hooks record a turn while it runs, an import reads it from the host's file afterwards. Both call `turn_id`, so that the second of
them finds the first one's episode by its external id and adds nothing. A turn is a prompt that begins a task, with everything up to the
next one: prompts that only say to go on (`clipping.goes_on`), notices of the program and answers of tools begin none.

The turn's own name is the host's id of the prompt where hooks and file agree on one (`HOST_TURN_FIELDS`), else it is made from the
prompt's words: as the host hands them over, before anything is clipped or redacted. It imports nothing heavy: the hooks use it.
"""

from hashlib import blake2b

from mcp_memory.domain import limits

# host -> the field of its hook events that names the turn, the same as in its session file
HOST_TURN_FIELDS = {"claude-code": "prompt_id", "codex": "turn_id"}
_DIGEST_BYTES = 10


def turn_id(host: str, session_id: str, turn: str) -> str:
    """Return the external id of a turn: `HOST/SESSION/TURN`, a digest in place of what would be over the bound on ids.

    >>> turn_id("claude-code", "s1", "p1")
    'claude-code/s1/p1'
    """
    name = f"{host}/{session_id}/{turn}"
    return name if len(name) <= limits.MAX_ID_CHARS else f"{host}/{_digest(name)}"


def prompt_turn(prompt: str, earlier: int = 0) -> str:
    """Return a turn's name made from its prompt, for hosts whose hooks and files share no id of it.

    Args:
        prompt: What the user typed, whole and as it came; white space does not count.
        earlier: How many turns of this session began with the same words before.

    >>> prompt_turn("Run the  tests") == prompt_turn("Run the tests\\n") != prompt_turn("Run the tests", 1)
    True
    """
    name = "p" + _digest(" ".join(prompt.split()))
    return f"{name}-{earlier + 1}" if earlier else name


def agent_turn(agent_id: str) -> str:
    """Return the name of a subagent's run inside its session.

    >>> turn_id("claude-code", "s1", agent_turn("a7"))
    'claude-code/s1/agent-a7'
    """
    return f"agent-{agent_id}"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).hexdigest()
