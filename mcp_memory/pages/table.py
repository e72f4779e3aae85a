"""Every address of the pages and the function that answers it."""

from collections.abc import Mapping

from mcp_memory.pages import ask, attempt, fork, health, learned, projects, task_map, today
from mcp_memory.pages.calls import Handler

READS: Mapping[str, Handler] = {
    "/ui": today.show,
    "/ui/ask": ask.show,
    "/ui/fork": fork.tasks,
    "/ui/fork/{episode_id}": fork.show,
    "/ui/attempts": attempt.listed,
    "/ui/attempt/{episode_id}": attempt.show,
    "/ui/attempt/{episode_id}/export": attempt.export,
    "/ui/attempt/{episode_id}/forget": attempt.confirm_forget,
    "/ui/learned": learned.listed,
    "/ui/learned/{pattern_id}": learned.show,
    "/ui/map": task_map.show,
    "/ui/files": health.files,
    "/ui/health": health.show,
    "/ui/projects": projects.listed,
}
CHANGES: Mapping[str, Handler] = {
    "/ui/project": projects.choose,
    "/ui/ask/vote": ask.vote,
    "/ui/learned/{pattern_id}/correct": learned.correct,
    "/ui/fork/{episode_id}/lesson": fork.keep,
    "/ui/fork/{episode_id}/agents": fork.put_in,
    "/ui/fork/{episode_id}/agents/undo": fork.take_out,
    "/ui/attempt/{episode_id}/tag": attempt.tag,
    "/ui/attempt/{episode_id}/label": attempt.label,
    "/ui/attempt/{episode_id}/correct": attempt.correct,
    "/ui/attempt/{episode_id}/forget": attempt.forget,
    "/ui/forgotten/{episode_id}": attempt.restore,
}
