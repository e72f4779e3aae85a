"""A provider that cannot be reached, or not safely: said where a person looks, and no secret shown or sent in clear text."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config import Config, EmbeddingConfig, ServerConfig, StorageConfig, settings
from mcp_memory.embedding.providers import plan_provider
from mcp_memory.errors import ConfigError


def dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


TROUBLES: dict[str, dict[str, str]] = {
    "a dead port": {},
    "a SOCKS proxy": {"ALL_PROXY": "socks5://127.0.0.1:1", "NO_PROXY": ""},
    "a certificate file that is gone": {"SSL_CERT_FILE": "/nowhere/cert.pem"},
    "no key": {"OPENAI_API_KEY": ""},
}


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", list(TROUBLES))
async def test_a_provider_that_does_not_answer_is_said_by_doctor_and_by_what_is_degraded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key")
    for name, value in TROUBLES[trouble].items():
        monkeypatch.setenv(name, value)
    address = f"http://127.0.0.1:{dead_port()}/v1" if trouble == "a dead port" else "https://127.0.0.1:1/v1"
    embedding = EmbeddingConfig(provider="openai", base_url=address, max_retries=0)
    async with open_memory(Config(storage=StorageConfig(data_dir=str(tmp_path)), embedding=embedding)) as memory:
        for _ in range(2):  # what was embedded once must not stand for an answer
            (row,) = [row for row in await memory.doctor() if row[0] == "embedding model"]
            assert row[1] is False, row
            assert "openai" in row[2]
        assert any("openai" in reason for reason in (await memory.memory_status()).degraded)


def test_the_user_and_password_of_an_address_are_masked_in_the_settings() -> None:
    config = Config(
        embedding=EmbeddingConfig(base_url="https://ann:p%40ss@models.example/v1?a=b@c"),
        server=ServerConfig(public_url="https://ann@memory.example", token="0123456789abcdef"),
    )
    shown = {name: value for name, value, _ in settings(config)}
    assert shown["embedding.base_url"] == "https://***@models.example/v1?a=b@c"
    assert shown["server.public_url"] == "https://***@memory.example"
    assert shown["server.token"] == "***"


@pytest.mark.parametrize("address", ["http://models.example/v1", "http://10.0.0.5/v1", "http://127.0.0.1.evil.example/v1", "http://a@b/v1"])
def test_a_key_is_not_sent_in_clear_text_to_another_machine(address: str) -> None:
    with pytest.raises(ConfigError, match="clear text"):
        plan_provider(EmbeddingConfig(provider="openai", base_url=address))
    for fine in ("https://models.example/v1", "http://localhost:1234/v1", "http://[::1]:1234/v1", "http://127.0.0.1/v1"):
        plan_provider(EmbeddingConfig(provider="openai", base_url=fine))


def test_onnxruntime_is_imported_with_its_telemetry_off() -> None:
    code = (
        "import os, sys\n"
        "class Look:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'onnxruntime':\n"
        "            print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Look())\n"
        "import mcp_memory.embedding.onnx_embedder\n"
    )
    clean = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=clean)
    assert done.stdout.split() == ["1"]
