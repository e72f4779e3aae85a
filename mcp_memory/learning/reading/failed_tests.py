"""Which tests a run of tests says failed, as the usual runners say it. Pure."""

import re

_FAILED = re.compile(
    r"^(?:(?:FAILED|ERROR) (\S+?::\S+?)(?: - .*)?"  # pytest's summary
    r"|(\S+?::\S+) (?:FAILED|ERROR)\b.*"
    r"|(?:FAIL|ERROR): (\w+) \(.*\)"  # unittest
    r"|\s*--- FAIL: (\S+).*"  # go
    r"|test (\S+) \.\.\. FAILED"  # cargo
    r"|\s+[✕×✗✘] (.+?)(?: \(\d+ ?m?s\))?)\s*$",  # jest, vitest
    re.M,
)


def failed_tests(output: str) -> list[str]:
    """Return the names of the tests that an output says failed, each once, without the file they stand in.

    >>> failed_tests("FAILED tests/test_cart.py::TestCart::test_total - assert 1 == 2\\n1 failed, 3 passed in 0.1s")
    ['TestCart::test_total']
    >>> failed_tests("FAIL: test_total (tests.Cart)\\n--- FAIL: TestTotal (0.00s)\\ntest cart::total ... FAILED\\n  ✕ adds up (3 ms)")
    ['test_total', 'TestTotal', 'cart::total', 'adds up']
    """
    found = (next(filter(None, groups)) for groups in _FAILED.findall(output))
    return list(dict.fromkeys(name.partition("::")[2] if "/" in name or ".py::" in name else name for name in found))
