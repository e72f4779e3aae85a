"""The commands of docs/team.md, taken from it and run: with names of this machine for those of the example, and without containers.

What the containers would run is run as they would run it: the compose file's command and environment, on a real PostgreSQL.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from ruamel.yaml import YAML

from tests.e2e.wire import ROOT
from tests.log_servers import Server, free_port, started
from tests.raw_client import server_environment

GUIDE = (ROOT / "docs" / "team.md").read_text(encoding="utf-8")
COMPOSE = ROOT / "packaging" / "compose.yaml"
NAME, PASSWORD = "memory.example.org", "a-password"
READY_S = 60


def blocks(heading: str) -> list[str]:
    """Return the shell blocks of a section of the guide."""
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    assert section, heading
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    server = started("postgres")
    yield server
    server.stop()


def run(script: str, folder: Path, **settings: str) -> str:
    """Run a script as a person's shell would, up to the first command that fails, and return what it said."""
    environment = server_environment(folder, MCP_MEMORY_EMBEDDING__PROVIDER="off", **settings)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(["bash", "-ec", script], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_log_of_your_own_is_set_up_as_it_is_written(postgres: Server, tmp_path: Path) -> None:
    (script,) = blocks("A log of your own")
    assert "postgresql://memory@db.example.org/memory" in script
    script = script.replace("postgresql://memory@db.example.org/memory", postgres.url)
    said = run(script, tmp_path)
    assert "places in the order of writing" in said
    assert "in step" in said


def compose_environment(postgres: Server, data: Path) -> dict[str, str]:
    """Return what the compose file gives the memory's container, with this machine's names for those of the containers."""
    given = YAML(typ="safe").load(COMPOSE.read_text(encoding="utf-8"))["services"]["memory"]
    assert given["command"] == ["serve"]
    environment: dict[str, str] = given["environment"]
    here = {"postgresql://memory@db/memory": postgres.url, "172.30.60.0/24": "127.0.0.0/8"}
    for name, value in environment.items():
        value = re.sub(r"\$\{MEMORY_NAME[^}]*\}", NAME, re.sub(r"\$\{POSTGRES_PASSWORD[^}]*\}", PASSWORD, value))
        environment[name] = here.get(value, value).replace("/data", str(data))
    return environment


def test_one_server_gives_out_tokens_and_answers_behind_tls_by_its_name(postgres: Server, tmp_path: Path) -> None:
    asked = re.findall(r"docker compose run --rm (?:--build )?memory (token .*)", "\n".join(blocks("One server behind TLS")))
    assert [line.split()[3] for line in asked] == ["ann", "ci"]
    tokens = [run(f"mcp-memory {line}".replace("/data", str(tmp_path)), tmp_path).strip().split()[-1] for line in asked]
    port = free_port()
    environment = server_environment(tmp_path, MCP_MEMORY_EMBEDDING__PROVIDER="off", **compose_environment(postgres, tmp_path))
    serving = subprocess.Popen([sys.executable, "-m", "mcp_memory", "serve", "--port", str(port)], env=environment, cwd=ROOT)
    try:
        by_proxy = {"Host": NAME, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
        until = time.monotonic() + READY_S
        while not is_ready(port) and time.monotonic() < until:
            assert serving.poll() is None
            time.sleep(0.1)
        page = f"http://127.0.0.1:{port}/metrics"
        for token in tokens[:1]:
            assert httpx2.get(page, headers={**by_proxy, "Authorization": f"Bearer {token}"}).status_code == 200
        assert httpx2.get(page, headers=by_proxy).status_code == 401
        assert (
            httpx2.get(page, headers={**by_proxy, "Host": "elsewhere.example", "Authorization": f"Bearer {tokens[0]}"}).status_code >= 400
        )
    finally:
        serving.terminate()
        serving.wait(30)
    assert (tmp_path / "audit.jsonl").exists()


def is_ready(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def test_a_backup_of_the_server_is_looked_at_and_put_back_as_it_is_written(tmp_path: Path) -> None:
    shown = re.findall(r"docker compose run --rm memory (restore .*)", "\n".join(blocks("One server behind TLS")))
    assert [line.endswith("--yes") for line in shown] == [False, True]
    run("mcp-memory stats", tmp_path)
    made = re.search(r"\S+\.backup", run("mcp-memory backup", tmp_path))
    assert made is not None
    for line in shown:
        run("mcp-memory " + re.sub(r"/data/backups/\S+", made.group(), line), tmp_path)


def test_the_compose_file_is_one(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not here")
    environment = {**os.environ, "MEMORY_NAME": NAME, "POSTGRES_PASSWORD": PASSWORD}
    subprocess.run([docker, "compose", "--file", str(COMPOSE), "config", "--quiet"], env=environment, check=True)
