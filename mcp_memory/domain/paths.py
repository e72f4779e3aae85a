"""What a path says by itself. Pure."""


def is_full(path: str) -> bool:
    """Return whether a path begins at the root of a file system, of any kind.

    >>> is_full("/home/ana/a.py"), is_full("C:/work/a.py"), is_full("src/a.py")
    (True, True, False)
    """
    return path.startswith("/") or path[1:3] == ":/"
