"""The table: every rule by itself finds its example and spares its near miss, and says where the format is documented."""

import random
import re
from itertools import chain

import pytest

from benchmarks.bench_redaction import ALPHABETS
from mcp_memory.redaction import redact
from mcp_memory.redaction.index import Index
from mcp_memory.redaction.shapes import Span, looks
from mcp_memory.redaction.sight import Sight
from mcp_memory.redaction.table import TABLE, Rule
from mcp_memory.redaction.vocabulary import Vocabulary
from mcp_memory.redaction.work import Work

IDS = [f"{i}-{rule.name}-{rule.keywords[0].strip()}" for i, rule in enumerate(TABLE)]


def filled(template: str, seed: int) -> str:
    """Return *template* with `{A20}` and its like replaced by random characters, of every class the alphabet has."""
    rng = random.Random(seed)

    def run(match: re.Match[str]) -> str:
        alphabet, count = ALPHABETS[match[1]], int(match[2])
        while True:
            chars = "".join(rng.choices(alphabet, k=count))
            classes = (str.isupper, str.islower, str.isdigit)
            if count < 12 or all(any(map(c, chars)) for c in classes if any(map(c, alphabet))):
                return chars

    return re.sub(r"\{([AHUDL])(\d+)\}", run, template)


def spans(rule: Rule, text: str) -> list[Span]:
    """Return what *rule* alone finds in *text*."""
    sight = Sight(text)
    return list(chain.from_iterable(looks(sight, Vocabulary(sight.codes), Work(len(text)), Index([rule]))))


@pytest.mark.parametrize("rule", TABLE, ids=IDS)
def test_a_rule_by_itself_finds_its_example_and_so_does_the_whole_table(rule: Rule) -> None:
    for seed in range(5):
        example = filled(rule.found, seed)
        (_, _, name), *_ = spans(rule, example)
        assert name == rule.name
        assert redact(example)[1]


@pytest.mark.parametrize("rule", TABLE, ids=IDS)
def test_what_a_rule_finds_is_more_than_its_keyword_and_goes_with_all_its_characters(rule: Rule) -> None:
    example = filled(rule.found, 7)
    start, end, _ = spans(rule, example)[0]
    assert end - start >= 4
    assert example[start:end] not in redact(example)[0]


@pytest.mark.parametrize("rule", TABLE, ids=IDS)
def test_a_rule_spares_its_near_miss_which_has_its_keyword(rule: Rule) -> None:
    text = filled(rule.spared, 1)
    assert any(keyword in (text.lower() if rule.ignore_case else text) for keyword in rule.keywords)
    assert not spans(rule, text)
    assert redact(text) == (text, ())


@pytest.mark.parametrize("rule", TABLE, ids=IDS)
def test_a_rule_finds_its_example_after_many_places_where_its_keyword_stands_in_vain(rule: Rule) -> None:
    keyword = max((k for k in rule.keywords if k in filled(rule.found, 3).lower() or k in filled(rule.found, 3)), key=len)
    vain = f"{keyword}\n\n" * 40 + "\n"
    example = filled(rule.found, 3)
    expected = {(start + len(vain), end + len(vain), name) for start, end, name in spans(rule, example)}
    assert expected <= set(spans(rule, vain + example))


@pytest.mark.parametrize("rule", TABLE, ids=IDS)
def test_a_rule_says_what_it_finds_and_where_that_is_documented(rule: Rule) -> None:
    assert rule.finds
    assert rule.source
    assert re.fullmatch(r"[a-z0-9-]+", rule.name)
