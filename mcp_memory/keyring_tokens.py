"""Tokens of shared logs in the platform's keyring, by the log's address. Blocking: a locked keyring may ask its owner for a password."""

import keyring
from keyring.errors import KeyringError, PasswordDeleteError

from mcp_memory.errors import ConfigError

SERVICE = "mcp-memory"
_HINT = "Unlock or set up the platform's keyring (`python -m keyring diagnose` says which one it is), or use --token-env."


def read(address: str) -> str:
    """Return the token of a log, "" where the keyring has none. Raises ConfigError: there is no keyring, or it stays locked."""
    try:
        return keyring.get_password(SERVICE, address) or ""
    except KeyringError as error:
        raise ConfigError(f"the keyring cannot be read: {error}", hint=_HINT) from error


def store(address: str, token: str) -> None:
    """Keep the token of a log, in place of one that is there. Raises ConfigError."""
    try:
        keyring.set_password(SERVICE, address, token)
    except KeyringError as error:
        raise ConfigError(f"the keyring cannot keep a token: {error}", hint=_HINT) from error


def remove(address: str) -> None:
    """Forget the token of a log; one that is not there is fine. Raises ConfigError."""
    try:
        keyring.delete_password(SERVICE, address)
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise ConfigError(f"the keyring cannot be written: {error}", hint=_HINT) from error
