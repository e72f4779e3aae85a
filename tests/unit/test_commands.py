"""What a shell command runs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.commands import MAX_CHARS, command_in, program_of


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("pytest -q", "pytest"),
        ("cd /repo && source .venv/bin/activate && python -m pytest tests", "python -m pytest"),
        ("python3.11 manage.py migrate", "python3.11"),
        ("python - <<'EOF'\nprint(1)\nEOF", "python"),
        ("git -c user.name=a -C repo log --oneline", "git log"),
        ("git commit -m 'fix; really && truly'", "git commit"),
        ("docker compose up -d", "docker compose up"),
        ("uv run pytest", "uv run pytest"),
        ("sudo -E env A=1 timeout 30s /usr/bin/npm ci", "npm ci"),
        ("echo 'a && b' | tee out.txt", "echo"),
        ("sed -i 's/a/b/' x", "sed -i"),
        ("cat <<EOF >> notes.md", "cat >"),
        ("# a comment\n\nls -la", "ls"),
        ("cd src", "cd"),
        ("bash run.sh", "bash"),
        ('bash -c "cd x && cargo test --all"', "cargo test"),
        ("C:\\tools\\rg.exe foo", "rg"),
        ("Get-ChildItem -Recurse", "Get-ChildItem"),
        ("Turn the lights off", ""),
        ("'quoted name' x", ""),
        ("   ", ""),
    ],
)
def test_the_program_is_named_with_its_verb_where_it_alone_says_little(command: str, program: str) -> None:
    assert program_of(command) == program


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ({"command": "ls"}, "ls"),
        ({"cmd": ["bash", "-lc", "pytest -q"]}, "pytest -q"),
        ({"command": ["git", "status"]}, "git status"),
        ({"command": 7}, ""),
        ({"command": [1, 2]}, ""),
        ({"path": "a.py"}, ""),
    ],
)
def test_the_command_is_found_among_the_arguments_of_common_shell_tools(arguments: dict[str, object], command: str) -> None:
    assert command_in(arguments) == command


@given(st.text(max_size=300))
def test_any_text_has_a_short_name_or_none(command: str) -> None:
    name = program_of(command)
    assert len(name) <= MAX_CHARS
    assert name == name.strip()
    assert "\n" not in name
