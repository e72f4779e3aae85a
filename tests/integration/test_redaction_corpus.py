"""Made-up secrets in real contexts and benign texts: what redaction finds and what it leaves alone, beside detect-secrets."""

import gzip
import json

import pytest

from benchmarks.bench_redaction import CORPUS, detect_secrets_scores, scores

pytestmark = pytest.mark.skipif(not CORPUS.is_file(), reason="../shared/eval/secrets_dev.json.gz is not there")


def test_nine_in_ten_secrets_are_found_and_next_to_nothing_benign_is_touched() -> None:
    found, alarms = scores(json.loads(gzip.decompress(CORPUS.read_bytes())))
    for tier, share in found.items():
        assert share >= (0.9 if tier[0] in "ABC" else 0.75), tier
    assert alarms <= 0.02


def test_more_is_found_than_by_detect_secrets_with_fewer_false_alarms() -> None:
    corpus = json.loads(gzip.decompress(CORPUS.read_bytes()))
    theirs = detect_secrets_scores(corpus)
    if theirs is None:
        pytest.skip("detect-secrets (group dev) is not installed")
    found, alarms = scores(corpus)
    assert sum(found.values()) / len(found) > theirs[0]
    assert alarms < theirs[1]
