"""English words are known by how Japanese writes them in katakana, and a request in Japanese finds what is said in English by them."""

from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_memory.domain.loanwords import MAX_WORDS, in_katakana, loaned, sounds_of_english
from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio
WRITTEN = {
    "サーバー": "server",
    "ユーザー": "user",
    "エラー": "error",
    "カラー": "color",
    "ハードウェア": "hardware",
    "ネットワーク": "network",
    "キャッシュ": "cache",
    "チケット": "ticket",
    "メッセージ": "message",
    "セッション": "session",
    "バージョン": "version",
    "トランザクション": "transaction",
    "フィルター": "filter",
    "ヴァイオリン": "violin",
    "ウィジェット": "widget",
    "テンプレート": "template",
    "コンピュータ": "computer",
    "シンボル": "symbol",
    "スレッド": "thread",
    "クエリ": "query",
    "ディスク": "disk",
    "パーティション": "partition",
    "アクセス": "access",
    "サイズ": "size",
    "テーブル": "table",
    "スキャナ": "scanner",
    "ストリーム": "stream",
    "ｻｰﾊﾞｰ": "server",
}
OTHERS = """
save sober sub usage eraser hard ware net work catch tick massage season virgin transition flight fruit voice wedge temple
compute simple sledge curry dust portion axe seize tube skin strum circle window paper holder button street planet orange
"""


def _known(*words: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for word in words:
        for sound in sounds_of_english(word):
            found.setdefault(sound, set()).add(word)
    return found


ALL = _known(*WRITTEN.values(), *OTHERS.split())


def _words(written: str) -> Collection[str]:
    return loaned(in_katakana(written)[0], lambda sound: ALL.get(sound, ())).words


@pytest.mark.parametrize("written", WRITTEN)
def test_a_word_in_katakana_is_the_english_one_before_others_that_sound_alike(written: str) -> None:
    assert list(_words(written))[:1] == [WRITTEN[written]]


@pytest.mark.parametrize(("written", "parts"), [("タイムアウトエラー", {"error"}), ("ネットワークエラー", {"network", "error"})])
def test_a_compound_is_its_parts(written: str, parts: set[str]) -> None:
    known = _known("timeout", "time", "out", "error", "network", "era")
    found = set(loaned(written, lambda sound: known.get(sound, ())).words)
    assert parts <= found


@pytest.mark.parametrize("written", ["ラーメン", "カラオケ", "イギリス", "ヒヤシンス", "ドイツ", "ピアノ"])
def test_a_word_that_is_none_of_those_known_is_none(written: str) -> None:
    assert not _words(written)


@given(st.text(alphabet=[chr(sign) for sign in range(0x30A1, 0x30FD)], max_size=40))
def test_any_signs_are_read(written: str) -> None:
    for word in in_katakana(written):
        assert len(loaned(word, lambda sound: ALL.get(sound, ())).words) <= 2 * MAX_WORDS


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=25))
def test_any_english_word_has_a_sound_of_consonants_alone(word: str) -> None:
    for sound in sounds_of_english(word):
        assert len(sound) >= 2
        assert not set(sound[1:]) & set("aeiou")


CHORES = (
    "Rename the settings page",
    "Sort the imports",
    "Translate the greeting",
    "Draw the logo",
    "Upgrade the linter",
    "Cut the release",
)


async def test_a_request_in_japanese_finds_a_task_in_english_by_its_loanwords(memory: EpisodicMemory) -> None:
    for chore in CHORES:
        await memory.complete_episode(task=chore, outcome="success")
    await memory.complete_episode(task="The driver of the scanner loses packets", outcome="success")
    found = await memory.recall("スキャナのドライバーがパケットを落としてしまう")
    assert [row.task for row in found.episodes][:1] == ["The driver of the scanner loses packets"]
