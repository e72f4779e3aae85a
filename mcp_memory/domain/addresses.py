"""Addresses of this machine and of others."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine, and what is sent there stays on it.

    >>> [is_loopback(host) for host in ("127.0.0.1", "[::1]", "localhost", "10.0.0.1", "example.org")]
    [True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
