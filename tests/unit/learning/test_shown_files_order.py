"""Which words of a file are kept does not depend on the process that reads them."""

import os
import subprocess
import sys

_PROGRAM = """
import json
from mcp_memory.domain.episode import Episode, Outcome, OutcomeKind, Step
from mcp_memory.learning.reading.file_uses import touches_in
from mcp_memory.learning.reading.shown_files import shown_files

lines = [f"src/part{n % 7}.py:{n}: alpha{n} beta{n} gamma{n * 7}" for n in range(900)]
steps = tuple(Step("grep", observation="\\n".join(lines[i : i + 100]), index=i // 100) for i in range(0, 900, 100))
episode = Episode("e", "p", "t", steps=steps, step_count=len(steps), outcome=Outcome(OutcomeKind.SUCCESS))
print(json.dumps(shown_files(episode, touches_in(steps))))
"""


def kept_by_a_process(hash_seed: int) -> str:
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed)}
    return subprocess.run([sys.executable, "-c", _PROGRAM], env=environment, capture_output=True, text=True, check=True).stdout


def test_of_more_words_than_are_kept_every_process_keeps_the_same() -> None:
    first = kept_by_a_process(1)
    assert "src/part3.py" in first
    assert kept_by_a_process(2) == first
