"""How far an attempt came towards a figure that its task asks for, as it is told. Pure."""

from mcp_memory.domain.episode import Episode
from mcp_memory.learning.reading.measured import measured
from mcp_memory.learning.reading.run import message_of
from mcp_memory.learning.telling.acts import told_as_call
from mcp_memory.phrases import points as phrases


def figure_told(episode: Episode) -> str:
    """Return the figure that tells how far an attempt came, with what it was measured on and how that was made; "" without."""
    figure, steps = measured(episode.task, episode.steps), episode.steps
    if figure is None:
        return ""
    if not figure.on:
        return phrases.measured(figure.said, "", told_as_call(steps[figure.step]), is_best=figure.is_best)
    if figure.maker is None:
        return phrases.measured(figure.said, figure.on, is_old=figure.is_old)
    maker = steps[figure.maker]
    error = message_of(maker) if maker.failed else ""
    return phrases.measured(figure.said, figure.on, told_as_call(maker), error, is_old=figure.is_old)
