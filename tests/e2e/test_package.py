"""What is built can be installed anywhere: a fresh environment, the wheel, and nothing of this checkout."""

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MODEL = "mcp_memory/models/all-minilm-l6-v2-int8/"
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def run(*command: object, cwd: Path, stdin: str = "") -> str:
    done = subprocess.run([str(part) for part in command], cwd=cwd, input=stdin, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, sdist, cwd=folder)
    return folder


def test_the_wheel_contains_the_program_the_model_and_its_licence_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for name in (MODEL + "model.onnx", MODEL + "tokenizer.json", MODEL + "LICENSE", "mcp_memory/py.typed", "mcp_memory/server/stdio.py"):
        assert name in names
    assert {name.split("/")[0] for name in names} == {"mcp_memory", "mcp_episodic_memory-0.1.0.dist-info"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_source_distribution_holds_what_the_tests_need(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for name in ("pyproject.toml", "README.md", "LICENSE", "dev.py", "tests/conftest.py", "models/all-minilm-l6-v2-int8/model.onnx"):
        assert name in names


@pytest.mark.timeout(600)
def test_the_wheel_installed_in_a_fresh_environment_serves_and_recalls_with_its_model(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    venv.create(tmp_path / "env", with_pip=True)
    scripts = tmp_path / "env" / ("Scripts" if sys.platform == "win32" else "bin")
    run(scripts / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    for command in ("mcp-memory", "mcp-episodic-memory"):
        answer = run(scripts / command, "--data-dir", tmp_path / "data", cwd=tmp_path, stdin=json.dumps(INITIALIZE) + "\n")
        assert json.loads(answer.splitlines()[0])["result"]["serverInfo"]["version"] == "0.1.0"
    checks = json.loads(run(scripts / "mcp-memory", "doctor", "--json", "--data-dir", tmp_path / "data", cwd=tmp_path))
    assert all(check["ok"] for check in checks), checks
    assert any("ready, a sentence in" in check["detail"] for check in checks), checks
