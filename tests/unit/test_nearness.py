"""What is near enough to be told."""

from mcp_memory.domain.nearness import is_told


def test_of_many_episodes_one_that_is_only_somewhat_alike_is_told_if_its_words_stand_out() -> None:
    assert is_told(0.75, 0.1, considered=500)
    assert is_told(0.42, 2.1, considered=500)
    assert not is_told(0.49, 1.3, considered=500)
    assert not is_told(0.35, 3.0, considered=500), "hardly alike"
    assert is_told(0.49, 0.4, considered=7), "of a few, how far one stands out says nothing"


def test_in_another_language_less_likeness_is_enough_where_the_words_stand_out() -> None:
    assert is_told(0.26, 2.7, considered=500, foreign=True)
    assert not is_told(0.26, 1.3, considered=500, foreign=True)
    assert not is_told(0.2, 2.7, considered=500, foreign=True)
    assert not is_told(0.26, 2.7, considered=500)
