"""Redaction measured: recall by kind and false alarms on ../shared/eval/secrets_dev.json.gz, beside detect-secrets, and time.

python -m benchmarks.bench_redaction
"""

import gzip
import json
import random
import re
import string
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from mcp_memory.redaction import redact, redact_tree
from mcp_memory.redaction.table import TABLE

CORPUS = Path(__file__).parents[2] / "shared" / "eval" / "secrets_dev.json.gz"
TRIALS, WORST_CHARS = 1_000, 100_000
ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "H": "0123456789abcdef",
    "U": string.ascii_uppercase + "234567",
    "D": string.digits,
    "L": string.ascii_lowercase + string.digits,
}
BETWEEN = [
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
    "--token ",
    "secret is ",
]
BETWEEN += [
    "set ",
    "name: ",
    "=",
    ":",
    ",",
    "authorization: ",
    "-----END",
    "PRIVATE KEY",
    "x y ",
    "A1b2" * 6,
    "é",
    "\u200b",
    "\x1b[0m",
    "eyJ",
    "set D",
]
BETWEEN += [
    "cookie: sessionid=",
    "password=hunter2! ",
    "[redacted:x]",
    "\\n",
    "{",
    "70617373776f72643d68756e74657232212121",
    "a b c d e f g h i j k l m n o p ",
]
NOISE = ["\u200b", "\xad", "\u2060", "\x1b[0m", "\x1b[31m", "é"]


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


def took_ms(text: str, times: int = 8) -> float:
    """Return the processor time of one redaction, the best of *times*."""
    took = []
    for _ in range(times):
        started = time.process_time()
        redact(text)
        took.append(time.process_time() - started)
    return min(took) * 1000


def repeated(text: str) -> str:
    return (text * (WORST_CHARS // len(text) + 1))[:WORST_CHARS]


def numbered(text: str) -> str:
    """Return *text* again and again with a number after it: nothing of it comes twice, so nothing is judged once for all."""
    return "".join(f"{text}{number}" for number in range(WORST_CHARS // len(text)))[:WORST_CHARS]


def example(template: str) -> str:
    """Return a rule's example with random characters of its own in place of `{A20}`."""
    rng = random.Random(template)
    return re.sub(r"\{([AHUDL])(\d+)\}", lambda run: "".join(rng.choices(ALPHABETS[run[1]], k=int(run[2]))), template)


def mixtures(rng: random.Random, trials: int) -> list[str]:
    """Return random mixtures of telling words, of rules' examples whole and cut, of what rules spare, and of what stands between."""
    keywords = [k for rule in TABLE for k in rule.keywords]
    examples = [example(rule.found) for rule in TABLE]
    cut = [text[: len(text) * 2 // 3] for text in examples]
    pools = (keywords + BETWEEN, keywords + examples + BETWEEN, cut + BETWEEN, examples + [rule.spared for rule in TABLE], BETWEEN)
    pieces = ["".join(rng.choices(rng.choice(pools), k=rng.randint(1, 6))) for _ in range(trials)]
    return [(numbered if rng.random() < 0.3 else repeated)(piece) for piece in pieces]


def mutated(rng: random.Random, texts: list[str]) -> str:
    """Return another text made of one or two of *texts*: one after the other, in turns, with more or with noise between, cut."""
    one, other = rng.choices(texts, k=2)
    size, few, noise = rng.randint(20, 2_000), rng.choice((1, 2, 3, 5, 8, 20, 60)), rng.choice(NOISE)
    stretches = [one[at : at + size] for at in range(0, WORST_CHARS, size)]
    ways = (
        lambda: one[: WORST_CHARS // 2] + other[: WORST_CHARS // 2],
        lambda: "".join(turn[at : at + size] for at in range(0, WORST_CHARS, 2 * size) for turn in (one, other)),
        lambda: rng.choice(BETWEEN).join(stretches),
        lambda: "\n".join(f"{number}{stretch[rng.randint(0, 9) :]}" for number, stretch in enumerate(stretches)),
        lambda: repeated(one[: rng.randint(8, 300)]),
        lambda: numbered(one[(begin := rng.randrange(size)) : begin + rng.randint(8, 200)] or "x"),
        lambda: noise.join(one[at : at + few] for at in range(0, WORST_CHARS, few)),
    )
    return rng.choice(ways)()[:WORST_CHARS]


def worst(trials: int) -> tuple[float, str]:
    """Return the slowest of random mixtures and of what is made of the slowest of them: in ms for 100 kB, and its beginning.

    The ten that took longest are measured again: on a machine with other work the first figure says little.
    """
    rng = random.Random(1)
    slowest: list[tuple[float, str]] = []
    texts = mixtures(rng, trials)
    for _ in range(3):
        slowest = sorted(slowest + [(took_ms(text, 1), text) for text in texts], reverse=True)[:20]
        texts = [mutated(rng, [text for _, text in slowest]) for _ in range(trials // 10)]
    took, text = max((took_ms(text, 8), text) for _, text in slowest[:10])
    return took, text[:80]


def main() -> None:
    ordinary = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8") * 20
    print(f"10 kB of prose: {took_ms(ordinary[:10_000], 50):.2f} ms; 100 kB: {(prose := took_ms(ordinary[:100_000], 20)):.1f} ms")
    slowest, begin = worst(TRIALS)
    print(f"worst 100 kB of {TRIALS} mixtures, and of the slowest of them mixed again: {slowest:.1f} ms")
    print(f"  {slowest / prose:.1f} times as long as prose: {begin!r}…")
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
