"""dev.py is the first thing that runs on a stranger's machine."""

import ast
import subprocess
import sys
from pathlib import Path

DEV = Path(__file__).parent.parent / "dev.py"


def test_an_older_python_can_read_it_far_enough_to_say_that_it_is_too_old() -> None:
    ast.parse(DEV.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_without_a_command_it_says_what_there_is() -> None:
    done = subprocess.run([sys.executable, str(DEV)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert all(command in done.stderr for command in ("demo", "test", "lint", "run"))


def test_who_ends_it_ends_the_program_that_it_runs() -> None:
    endless = "import time; print('up', flush=True); time.sleep(600)"
    code = f"import sys, dev; from pathlib import Path; sys.exit(dev.run(Path(sys.executable), '-c', {endless!r}))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=DEV.parent, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.communicate(timeout=20) == ("", None), "both have let go of the output"
