"""Redaction measured: recall by kind and false alarms on ../shared/eval/secrets_dev.json.gz, beside detect-secrets, and time.

python -m benchmarks.bench_redaction
"""

import gzip
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from mcp_memory.redaction import redact, redact_tree
from mcp_memory.redaction.table import TABLE

CORPUS = Path(__file__).parents[2] / "shared" / "eval" / "secrets_dev.json.gz"
TRIALS, WORST_CHARS = 300, 100_000


def cleaned(text: Any) -> str:
    """Return a text or a tool's arguments without secrets, as one string."""
    return redact(text)[0] if isinstance(text, str) else json.dumps(redact_tree("arguments", text, []))


def scores(corpus: dict[str, Any]) -> tuple[dict[str, float], float]:
    """Return the share of secrets found for each kind, and the share of benign texts that were touched."""
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for case in corpus["secrets"]:
        clean = cleaned(case["text"])
        asked[case["tier"]] += 1
        found[case["tier"]] += all(secret not in clean for secret in case["secrets"])
    touched = sum(cleaned(c["text"]) != (c["text"] if isinstance(c["text"], str) else json.dumps(c["text"])) for c in corpus["benign"])
    return {tier: found[tier] / asked[tier] for tier in asked}, touched / len(corpus["benign"])


def detect_secrets_scores(corpus: dict[str, Any]) -> tuple[float, float] | None:
    """Return recall and false alarms of detect-secrets on the same corpus; None where it is not installed."""
    try:
        from detect_secrets.core.secrets_collection import SecretsCollection
        from detect_secrets.settings import default_settings
    except ImportError:
        return None

    def hits(text: Any) -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.txt"  # as a file: a single line alone is scanned without the limits on entropy
            path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
            collection = SecretsCollection()
            collection.scan_file(str(path))
            return [secret.secret_value or "" for _, secret in collection]

    with default_settings():
        found = sum(all(any(s in h or h in s for h in hits(c["text"]) if h) for s in c["secrets"]) for c in corpus["secrets"])
        touched = sum(bool(hits(c["text"])) for c in corpus["benign"])
    return found / len(corpus["secrets"]), touched / len(corpus["benign"])


def took_ms(text: str) -> float:
    """Return the processor time of one redaction, the best of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        redact(text)
        times.append(time.process_time() - started)
    return min(times) * 1000


def worst(trials: int) -> tuple[float, str]:
    """Return the slowest text of random mixtures of telling words, in ms for 100 kB, and what it repeats."""
    rng = random.Random(1)
    pieces = [k for rule in TABLE for k in rule.keywords] + [
        "password",
        "token=",
        "key: ",
        "'",
        '"',
        "\n",
        " ",
        ";",
        "a" * 40,
        "value=",
        "key,",
        "<",
        "@",
        "://",
        "\\",
    ]
    texts = ["".join(rng.choices(pieces, k=rng.randint(1, 5))) for _ in range(trials)]
    return max((took_ms((text * (WORST_CHARS // len(text) + 1))[:WORST_CHARS]), text) for text in texts)


def main() -> None:
    ordinary = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8") * 20
    print(f"10 kB of prose: {took_ms(ordinary[:10_000]):.2f} ms; 100 kB: {took_ms(ordinary[:100_000]):.1f} ms")
    slowest, piece = worst(TRIALS)
    print(f"worst 100 kB of {TRIALS} mixtures: {slowest:.1f} ms ({piece!r} repeated)")
    if not CORPUS.is_file():
        print(f"{CORPUS} is not there: no recall")
        return
    corpus = json.loads(gzip.decompress(CORPUS.read_bytes()))
    found, alarms = scores(corpus)
    for tier, share in sorted(found.items()):
        print(f"{tier}: found {share:.3f}")
    print(f"false alarms {alarms:.3f}")
    theirs = detect_secrets_scores(corpus)
    print("detect-secrets is not installed" if theirs is None else f"detect-secrets: found {theirs[0]:.3f}, false alarms {theirs[1]:.3f}")


if __name__ == "__main__":
    main()
