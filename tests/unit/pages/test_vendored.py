"""What is carried of others is what they published, and is named with its licence."""

import hashlib
import re
from pathlib import Path

import mcp_memory.pages

VENDOR = Path(mcp_memory.pages.__file__).parent / "static" / "vendor"
ROWS = re.findall(r"^\| `([^`]+)` \| .* `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(encoding="utf-8"), re.M)


def test_every_vendored_file_is_listed_with_its_hash_and_a_licence_beside_it() -> None:
    assert {name for name, _ in ROWS} == {path.name for path in VENDOR.iterdir() if path.suffix in (".js", ".css")}
    for name, digest in ROWS:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
        assert (VENDOR / f"{name.partition('-')[0]}-LICENSE.txt").exists()
