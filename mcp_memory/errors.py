"""Everything that can go wrong, sorted by who can act.

McpMemoryError                 code, retryable, hint
├── InvalidInput (ValueError)    the caller: change the arguments
│   └── InvalidArguments           the caller: one is missing, unknown or of the wrong type
├── NotFound (LookupError)       the caller: no such record
├── EpisodeClosed                the caller: already completed
├── Conflict                     retry: it changed since it was read (never leaves memory.py)
├── Overloaded                   wait: a queue is full
├── StoreUnavailable             wait: locked or unreachable
│   └── StoreUnusable            the operator: read-only, full path, replaced file, no FTS5 …
├── RemoteUnavailable            wait: the shared log does not answer
├── RemoteRefused                the operator: the shared log wants another token, is full, or is newer
├── ProviderUnavailable          wait: the remote embedding provider does not answer
├── AnalysisFailed               wait: the analysis process died or took too long
├── ModelUnavailable             the operator: no model file, wrong dimension
├── CorruptRecord                the operator: stored bytes do not decode
├── MigrationError               the operator: schema newer, or an applied migration was edited
├── ConfigError (ValueError)     the operator: a setting is wrong or unknown
└── InternalError                nobody: a programming error; its traceback is in the log

Each class's docstring is its default message.
"""


class McpMemoryError(Exception):
    """The memory could not do this."""

    code = "memory_error"
    retryable = False
    default_hint = "See the server's log."

    def __init__(self, message: str | None = None, *, hint: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        self.hint = hint or self.default_hint
        super().__init__(self.message)

    def line(self) -> str:
        """Return one line for the caller: what happened and what to do next."""
        return f"{self.code}: {self.message.rstrip('.')}. {self.hint}"


class InvalidInput(McpMemoryError, ValueError):
    """An argument is not acceptable."""

    code = "invalid_input"
    default_hint = "Change the arguments and call again."


class InvalidArguments(InvalidInput):
    """An argument is missing, unknown or of the wrong type."""

    code = "invalid_arguments"


class NotFound(McpMemoryError, LookupError):
    """There is no such record."""

    code = "not_found"
    default_hint = "Check the id; `search_episodes` lists what is stored."


class EpisodeClosed(McpMemoryError):
    """The episode is already completed."""

    code = "episode_closed"
    default_hint = "Start a new episode with `start_episode` to go on."


class Conflict(McpMemoryError):
    """The record changed since it was read."""

    code = "conflict"
    retryable = True
    default_hint = "Read it again and retry."


class Overloaded(McpMemoryError):
    """The write queue is full; nothing was written."""

    code = "overloaded"
    retryable = True
    default_hint = "Wait a second and call again."


class StoreUnavailable(McpMemoryError):
    """The store cannot be reached just now; nothing was written."""

    code = "store_unavailable"
    retryable = True
    default_hint = "Wait a second and call again; `mcp-memory doctor` checks the store."


class StoreUnusable(StoreUnavailable):
    """The store cannot be used as it is; waiting does not help."""

    code = "store_unusable"
    retryable = False
    default_hint = "Run `mcp-memory doctor`."


class RemoteUnavailable(McpMemoryError):
    """The shared log does not answer."""

    code = "remote_unavailable"
    retryable = True
    default_hint = "Everything is kept here meanwhile; `mcp-memory remote test` tries it."


class RemoteRefused(McpMemoryError):
    """The shared log refuses."""

    code = "remote_refused"
    default_hint = "Check its address and token with `mcp-memory remote test`."


class ProviderUnavailable(McpMemoryError):
    """The embedding provider does not answer."""

    code = "provider_unavailable"
    retryable = True
    default_hint = "The local model answers meanwhile; check the provider's status and key."


class AnalysisFailed(McpMemoryError):
    """The analysis could not be done; nothing else is affected."""

    code = "analysis_failed"
    retryable = True
    default_hint = "Call again, with a later `since` or a narrower filter if it took too long."


class ModelUnavailable(McpMemoryError):
    """The embedding model cannot be loaded."""

    code = "model_unavailable"
    default_hint = "Reinstall the package, or point `MCP_MEMORY_EMBEDDING__MODEL_PATH` at a model folder."


class CorruptRecord(McpMemoryError):
    """Stored bytes do not decode."""

    code = "corrupt_record"
    default_hint = "Run `mcp-memory check --repair`; what it cannot make again, `mcp-memory restore` brings back from a backup."


class MigrationError(McpMemoryError):
    """The database schema does not fit this version of the program."""

    code = "migration_error"
    default_hint = "Upgrade mcp-episodic-memory, or use another data directory."


class ConfigError(McpMemoryError, ValueError):
    """A setting is wrong or unknown."""

    code = "config_error"
    default_hint = "Run `mcp-memory config` to see the settings."

    @classmethod
    def without_extra(cls, need: str, extra: str, error: ImportError) -> "ConfigError":
        """Return what to say where something *need*s a library of an *extra* that is not installed."""
        return cls(f"{need}, which cannot be imported ({error})", hint=f"Install it: pip install 'mcp-episodic-memory[{extra}]'")


class InternalError(McpMemoryError):
    """A programming error; nothing was written."""

    code = "internal_error"
    default_hint = "The server's log has the details; other calls go on working."
