"""What is read off a record is read once, and of an edited record anew."""

import copy
import pickle
from dataclasses import replace

from mcp_memory.domain.episode import Episode, Step


def test_what_was_read_off_an_episode_is_not_read_again_and_not_known_of_an_edited_one() -> None:
    asked: list[str] = []

    def words(episode: Episode) -> list[str]:
        asked.append(episode.task)
        return episode.task.split()

    episode = Episode("e", "p", "fix the parser", steps=(Step("bash"),))
    assert episode.once(words) is episode.once(words)
    assert replace(episode, task="fix the lexer").once(words) == ["fix", "the", "lexer"]
    assert asked == ["fix the parser", "fix the lexer"]


def test_a_record_of_which_something_was_read_is_equal_to_one_of_which_nothing_was() -> None:
    step, same = Step("bash", arguments={"command": "make"}), Step("bash", arguments={"command": "make"})
    assert step.once(lambda one: one.key) == "bash:make"
    assert (step, repr(step)) == (same, repr(same))
    assert copy.copy(step) == pickle.loads(pickle.dumps(step)) == same
