"""Which prompts are a person's words, and which an agent host put in: the hooks and the importers go by one list. It imports nothing."""

from mcp_memory.domain.clipping import goes_on

# How texts begin that a host hands to the model in the person's place.
NOT_PROMPTS = (
    *("<command-", "<local-command-", "<bash-", "<task-notification", "<system-reminder", "<ide_", "<teammate-message"),
    *("[Request interrupted by user", "Caveat: ", "<environment_context", "<user_instructions", "<hook_context", "<qwen:"),
    *("# AGENTS.md instructions", "<turn_aborted", "<user_shell_command", "<skill", "<permissions", "<collaboration_mode"),
    *("<subagent_notification", "<hook_prompt", "<model_switch", "<INSTRUCTIONS"),
)
INTERRUPTED = "[Request interrupted by user"
_TOLD, _TOLD_END = "<hook_context>", "</hook_context>"  # inside it Gemini CLI writes `&lt;` for `<`


def typed(text: str) -> str:
    """Return a prompt without what hooks told before it: `gemini -p` puts that into the person's own message.

    >>> typed("<hook_context># Memory</hook_context>\\n\\nFix it"), typed("Fix it")
    ('Fix it', 'Fix it')
    """
    while text.lstrip().startswith(_TOLD) and _TOLD_END in text:
        text = text.split(_TOLD_END, 1)[1].lstrip()
    return text


def is_prompt(text: str) -> bool:
    """Return whether a text is what a person asked for.

    >>> [is_prompt(text) for text in ("Fix it", " ", "<task-notification>…", "[Request interrupted by user]")]
    [True, False, False, False]
    """
    text = text.lstrip()
    return bool(text) and not text.startswith(NOT_PROMPTS)


def is_command(text: str) -> bool:
    """Return whether a prompt calls a command of the host: `/fixit now`, `/plugin:fix`, and not `/etc/hosts is wrong`."""
    word = text.split(None, 1)[0] if text.split() else ""
    return word.startswith("/") and word[1:].replace("-", "").replace("_", "").replace(":", "").isalnum()


def begins_task(prompt: str, *, after_another: bool) -> bool:
    """Return whether a person's prompt begins a task, rather than saying to go on with the one before it, if there is one."""
    return is_command(prompt) or not (after_another and goes_on(prompt))
