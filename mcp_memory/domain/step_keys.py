"""What a step is called in everything that is learnt: its tool, or `tool:action`. Used by the hooks, so it imports nothing."""


def step_key(tool: str, action: str | None) -> str:
    """Return the tool, or `tool:action` where the two differ.

    >>> step_key("bash", "pytest"), step_key("edit", "edit"), step_key("edit", "")
    ('bash:pytest', 'edit', 'edit')
    """
    return f"{tool}:{action}" if action and action != tool else tool


def tool_and_action(key: str) -> tuple[str, str]:
    """Return what `step_key` was made from; a step without an action has its tool's name as one.

    >>> tool_and_action("bash:pytest"), tool_and_action("edit")
    (('bash', 'pytest'), ('edit', 'edit'))
    """
    tool, _, action = key.partition(":")
    return tool, action or tool
