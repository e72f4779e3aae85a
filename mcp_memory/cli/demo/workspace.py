"""The scratch project the agent works on, and what it can do there: run a command, read a file, edit a file. Nothing is pretended."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND_TIMEOUT_S = 60
SHOWN_CHARS = 1_500  # of a command's output that goes into an observation: its end, where the error is
_ERROR_LINE = re.compile(r"^\w*(Error|Exception)\b.*", re.MULTILINE)

FILES = {
    "shop/__init__.py": "",
    "shop/pricing.py": "def total(prices):\n    return sum(float(price) for price in prices)\n",
    "shop/invoice.py": "def amount_due(lines):\n    return sum(quantity * float(unit_price) for quantity, unit_price in lines)\n",
    "shop/people.py": "def names(path):\n    return open(path, encoding='utf-8').read().splitlines()\n",
    "shop/suppliers.py": "def read(path):\n    return open(path, encoding='utf-8').read().split(';')\n",
    "tools/__init__.py": "",
    "tools/report.py": "from shop.pricing import total\n\nprint('report total:', total(['1.50', '2.50']))\n",
    "jobs/__init__.py": "",
    "jobs/nightly.py": "from shop.suppliers import read\n\nprint(len(read('data/suppliers.txt')), 'suppliers')\n",
    "tests/__init__.py": "",
    "tests/test_pricing.py": (
        "import unittest\nfrom decimal import Decimal\n\nfrom shop.pricing import total\n\n\nclass Pricing(unittest.TestCase):\n"
        "    def test_three_dimes(self):\n        self.assertEqual(total(['0.10', '0.10', '0.10']), Decimal('0.30'))\n"
    ),
    "tests/test_invoice.py": (
        "import unittest\nfrom decimal import Decimal\n\nfrom shop.invoice import amount_due\n\n\nclass Invoice(unittest.TestCase):\n"
        "    def test_three_pieces(self):\n        self.assertEqual(amount_due([(3, '1.10')]), Decimal('3.30'))\n"
    ),
    "tests/test_people.py": (
        "import unittest\n\nfrom shop.people import names\n\n\nclass People(unittest.TestCase):\n"
        "    def test_umlauts_survive(self):\n        self.assertIn('J\\u00f6rg M\\u00fcller', names('data/customers.txt'))\n"
    ),
}
LATIN_1_FILES = {"data/customers.txt": "Ana Souza\nJörg Müller\n", "data/suppliers.txt": "Bäckerei Groß;Café Léon;Ñandú SA"}


@dataclass(frozen=True, slots=True)
class Run:
    """Run Python with these arguments in the project's folder."""

    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Read:
    """Read a file of the project."""

    path: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace a text in a file of the project."""

    path: str
    old: str
    new: str


Move = Run | Read | Edit


class Workspace:
    """A folder with the scratch project in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for texts, encoding in ((FILES, "utf-8"), (LATIN_1_FILES, "latin-1")):
            for name, text in texts.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text.encode(encoding))

    def make(self, move: Move) -> dict[str, Any]:
        """Make one move and return it as the fields of a step."""
        started = time.perf_counter()
        step = self._run(move) if isinstance(move, Run) else self._read(move) if isinstance(move, Read) else self._edit(move)
        return step | {"duration_ms": round((time.perf_counter() - started) * 1000)}

    def _run(self, move: Run) -> dict[str, Any]:
        # -B: an edit within the clock's resolution must not meet the compiled file of before
        command = [sys.executable, "-B", "-W", "ignore", *move.arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | {"PYTHONUTF8": "1"}
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        output = done.stdout.strip()
        step: dict[str, Any] = {
            "tool": "shell",
            "action": "run tests" if "unittest" in move.arguments else "run",
            "arguments": {"command": " ".join(("python", *move.arguments))},
            "observation": output[-SHOWN_CHARS:],
        }
        if done.returncode:
            errors = [found.group(0) for found in _ERROR_LINE.finditer(output)]
            step |= {"status": "error", "error": errors[-1] if errors else f"exit status {done.returncode}"}
        return step

    def _read(self, move: Read) -> dict[str, Any]:
        text = (self._folder / move.path).read_text(encoding="utf-8")
        return {"tool": "read_file", "arguments": {"path": move.path}, "observation": text}

    def _edit(self, move: Edit) -> dict[str, Any]:
        path = self._folder / move.path
        before = path.read_text(encoding="utf-8")
        if move.old not in before:
            raise ValueError(f"{move.path} does not contain {move.old!r}")
        path.write_text(before.replace(move.old, move.new), encoding="utf-8")
        arguments = {"path": move.path, "old": move.old, "new": move.new}
        return {"tool": "edit_file", "arguments": arguments, "observation": f"{move.path} changed"}
