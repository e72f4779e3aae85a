"""Settings: one frozen section per folder that reads it, with every default. Where their values come from is in `config_sources.py`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from mcp_memory.projects import DEFAULT_PROJECT
from mcp_memory.remote_config import RemoteConfig
from mcp_memory.user_data import expanded, user_data_dir

_SECRET_FIELDS = {"token"}
_USER_IN_ADDRESS = re.compile(r"(?<=://)[^/?#\s]*@")


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """The two tiers."""

    data_dir: str = ""  # empty: the platform's user data directory
    synchronous: Literal["FULL", "NORMAL"] = (
        "FULL"  # NORMAL: a power cut (not a crash) may lose the last commits; commits cost 20 times less
    )
    max_queue_size: int = 10_000  # waiting writes before Overloaded
    max_batch_size: int = 500  # writes in one transaction
    busy_timeout_ms: int = 100  # one wait for another process' lock, before a retry
    busy_deadline_ms: int = 10_000  # all retries of one batch together
    cache_enabled: bool = True  # the hot tier; off costs time, never answers
    cache_max_bytes: int = 512 * 1024 * 1024
    compress_over_bytes: int = 1024  # blobs above this are compressed with zstd
    backup_every_hours: float = 0.0  # a backup into `backups/`, kept longer the rarer: days, weeks, months; 0: none by itself


@dataclass(frozen=True, slots=True)
class EmbeddingConfig:
    """Text to vectors."""

    provider: Literal["local", "openai", "mistral", "off"] = "local"  # `off`: recall is lexical only
    model: str = ""  # empty: the provider's default
    dimension: int = 0  # 0: the model's own
    base_url: str = ""  # empty: the provider's public address
    multilingual: Literal["auto", "on", "off"] = "auto"  # a local model for other languages; auto: if there; on: its lack is said
    model_path: str = ""  # local: a folder with model.onnx and tokenizer.json; empty: the shipped one
    threads: int = 1  # of one ONNX run
    timeout_ms: int = 10_000  # of one provider request
    max_retries: int = 3  # on 429 and 5xx, with back-off
    batch_size: int = 128  # texts in one provider request
    ready_wait_ms: int = 3_000  # how long a recall waits for the model, and for what was just completed, before it goes by words


@dataclass(frozen=True, slots=True)
class RetrievalConfig:
    """Query to ranked matches. The weights are explained in docs/design.md; docs/measurements.md has what each brings."""

    query_cache_entries: int = 10_000
    candidates: int = 100  # from each of the lexical and the semantic search
    dense_weight: float = 0.45  # of the semantic z-score; the lexical has the rest
    value_weight: float = 1.0  # what a success is ahead of a failure, in standard deviations of the text score, as all weights below
    context_weight: float = 1.0  # times what each matching field of the context brings (retrieval/ranking.py)
    recency_weight: float = 0.1  # of an episode that ended now
    feedback_weight: float = 0.5  # of a vote of 1
    recency_half_life_days: float = 90.0


@dataclass(frozen=True, slots=True)
class LearningConfig:
    """Episodes to lessons."""

    enabled: bool = True
    holdout: float = 0.0  # share of episodes, fixed per episode id, that get no recall: the control group
    half_life_days: float = 180.0  # of a pattern's evidence, at read time
    abandon_after_hours: float = 0.0  # open episodes older than this are marked abandoned at start-up; 0: never
    sample_threshold: int = 1_000  # clustering samples above this many episodes


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The MCP edge."""

    host: str = "127.0.0.1"
    port: int = 8765
    token: str = ""  # bearer token for HTTP; one, a token file or OAuth is required when host is not a loopback address
    token_file: str = ""  # accepted tokens, hashed, one a line; read again when it changes (`mcp-memory token` writes it)
    oauth_issuer: str = ""  # accept this authorization server's JWTs; needs oauth_jwks_url and public_url
    oauth_jwks_url: str = ""  # where its signing keys are
    oauth_audience: str = ""  # what `aud` must name; empty: public_url + /mcp
    oauth_scopes: str = ""  # scopes every JWT must have, comma-separated
    public_url: str = ""  # how clients reach the HTTP server, such as https://memory.example.org
    tools: Literal["core", "full", "auto"] = "auto"  # auto: core on stdio, full on HTTP
    project: str = ""  # namespace; empty: the workspace's repository (the host's roots, else the working directory), else `default`
    allowed_hosts: str = ""  # extra Host header values for HTTP, comma-separated
    allowed_origins: str = ""  # extra Origin header values for HTTP, comma-separated
    trusted_proxies: str = ""  # addresses whose X-Forwarded-For is believed, comma-separated; empty: nobody's
    max_body_bytes: int = 4 * 1024 * 1024
    max_connections: int = 500
    tool_timeout_ms: int = 60_000
    calls_per_minute: int = 0  # of one token (or of all without one); more are refused with when to call again; 0: no limit
    redact: bool = True  # secrets are masked before anything is stored
    audit_log: str = ""  # a file; empty: none
    traces: Literal["off", "otlp"] = "off"  # OpenTelemetry spans of calls, sent as OTEL_* variables say; needs the extra `otel`
    log_format: Literal["text", "json"] = "text"  # of the log on stderr: lines, or one JSON object a line


@dataclass(frozen=True, slots=True)
class Config:
    """All sections, and where each value that is not a default came from."""

    storage: StorageConfig = StorageConfig()
    embedding: EmbeddingConfig = EmbeddingConfig()
    retrieval: RetrievalConfig = RetrievalConfig()
    learning: LearningConfig = LearningConfig()
    server: ServerConfig = ServerConfig()
    remotes: tuple[RemoteConfig, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    project_before: tuple[str, ...] = ()  # names under which earlier versions kept the project
    notes: tuple[str, ...] = ()  # what was made of settings under names that are not ours

    @property
    def data_dir(self) -> Path:
        """The data directory, absolute."""
        return Path(expanded(self.storage.data_dir) if self.storage.data_dir else user_data_dir())

    @property
    def project(self) -> str:
        """The namespace used when a call names none."""
        return self.server.project or DEFAULT_PROJECT


SECTIONS: Mapping[str, type] = {
    "storage": StorageConfig,
    "embedding": EmbeddingConfig,
    "retrieval": RetrievalConfig,
    "learning": LearningConfig,
    "server": ServerConfig,
}
NAMES = frozenset(f"{section}.{item.name}" for section, kind in SECTIONS.items() for item in fields(kind))


def settings(config: Config) -> list[tuple[str, Any, str]]:
    """Return (dotted name, effective value, origin) of every setting; secrets are masked."""
    rows = []
    for section in SECTIONS:
        for item in fields(SECTIONS[section]):
            name, value = f"{section}.{item.name}", getattr(getattr(config, section), item.name)
            rows.append((name, _shown(item.name, value), config.origins.get(name, "default")))
    for remote in config.remotes:
        name = f"remote {remote.address}"
        rows.append(
            (
                name,
                f"token_env={remote.token_env!r} keyring={remote.keyring} projects={list(remote.projects)} ack={remote.ack}",
                remote.origin,
            )
        )
    return rows


def _shown(key: str, value: Any) -> Any:
    """Return a setting's value without what is secret in it: all of a token, the user and password of an address."""
    if key in _SECRET_FIELDS and value:
        return "***"
    return _USER_IN_ADDRESS.sub("***@", value) if isinstance(value, str) else value


def template() -> str:
    """Return a TOML file with every section and every setting at its default, commented out."""
    lines = ["# Settings of mcp-memory. Every line is a default; uncomment what you change. docs/settings.md says what each means.", ""]
    for section, kind in SECTIONS.items():
        lines += [f"[{section}]  # {(kind.__doc__ or '').splitlines()[0]}"]
        lines += [f"# {item.name} = {json.dumps(item.default)}" for item in fields(kind)]  # of these values, JSON's form is TOML's
        lines.append("")
    return "\n".join(lines)
