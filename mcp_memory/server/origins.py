"""Which Host and Origin headers are ours, compared whole: what merely begins like one of ours is not."""

import ipaddress
import re
from collections.abc import Iterable

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?")
_ORIGIN = re.compile(rf"https?://{_HOST.pattern}")
CORS_METHODS = ("GET", "POST", "DELETE")
CORS_HEADERS = ("Authorization", "Content-Type", "Last-Event-ID", "Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name")
CORS_EXPOSED = ("Mcp-Session-Id", "WWW-Authenticate", "Retry-After")


def name_of_host(host: str) -> str:
    """Return the name in a Host header, without the port; empty where it is not one.

    >>> name_of_host("[::1]:80"), name_of_host("localhost:8765"), name_of_host("[::1].evil.example")
    ('[::1]', 'localhost', '')
    """
    found = _HOST.fullmatch(host.lower())
    return found["name"] if found else ""


def name_of_origin(origin: str) -> str:
    """Return the host's name in an http or https origin; empty where it is not one.

    >>> name_of_origin("http://localhost:3000"), name_of_origin("http://localhost:3000/x"), name_of_origin("http://a@localhost")
    ('localhost', '', '')
    """
    found = _ORIGIN.fullmatch(origin.lower())
    return found["name"] if found else ""


def is_address(name: str) -> bool:
    """Whether a host's name is an IP address."""
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def listed(setting: str) -> Iterable[str]:
    """Return the items of a comma-separated setting."""
    return [item.strip() for item in setting.split(",") if item.strip()]
