"""From what likeness on two tasks are one, and which of several are about as alike as the nearest: only their episodes are told. Pure."""

import re
from itertools import chain

from mcp_memory.domain.text_words import ochiai, sentence_stems

SAME_TASK = 0.8  # likeness from which an earlier episode is an attempt at the same task: what other tasks showed is then no news
THE_TASK = 0.95  # likeness from which two tasks are the same but for a word: it is not told which task it was
ALIKE, STANDS_OUT, MANY = 0.6, 1.9, 50
FOREIGN_LEAST = 0.25
MARGIN, LEAST = 0.08, 0.4  # on the development split they keep 95 in 100 attempts at the task that is asked for, and 10 of the others
ANOTHER_CASE = 0.94  # likeness of a task in the same words with another number: *invoice 4711* is not *invoice 4712*
MANY_SHARED, FEW_OWN, SAME_REST = 20, 3, 0.4  # words of the sentences that two texts share, that each has besides; likeness of these
SAME_SENTENCE = 0.75  # likeness of two sentences at the same place, from which they are of the frame
MIN_FRAME_CHARS = 160  # of a text, from which it may be in such a frame
LEAST_SHARED = 0.3  # how alike two tasks are that have nothing but such sentences in common
_NUMBERED = re.compile(r"(?<!\w)\w*\d\w*")


def of_cases(similarity: float, a: str, b: str) -> float:
    """Return how alike two tasks are, whose words are *similarity* alike: where each has a number that the other lacks, not the same.

    Where they share long instructions and ask for something else with them, what they ask for decides (`is_another`).

    >>> of_cases(0.99, "Enter invoice 4711", "Enter invoice 4712"), of_cases(0.99, "Enter invoice 4711", "Enter invoice 4711 now")
    (0.94, 0.99)
    >>> of_cases(0.99, "Enter invoice 4711 by May 3", "Enter invoice 4711"), of_cases(0.7, "Enter invoice 4711", "Enter invoice 4712")
    (0.99, 0.7)
    >>> of_cases(0.9499, "Sum up q1_report.xlsx", "Sum up q3_report.xlsx")
    0.94
    """
    if similarity < SAME_TASK or a == b:
        return similarity
    if (rest := _of_the_rest(a, b)) < SAME_REST:
        return min(similarity, LEAST_SHARED + rest)
    if similarity <= ANOTHER_CASE:
        return similarity
    x, y = (set(_NUMBERED.findall(text.casefold())) for text in (a, b))
    return min(similarity, ANOTHER_CASE) if x - y and y - x else similarity


def is_another(a: str, b: str) -> bool:
    """Return whether two texts are the same long instructions about different things, as harnesses put every issue into one frame.

    A meaning is read of a text's beginning, and most words are those of the frame: both say that the two are one. Cost: 20 µs for texts
    whose sentences are known.

    >>> frame = "Read the report below. Reproduce it with a script, mend the code, change no test, run them all again, say why each time. "
    >>> frame += "Everything is installed; packages, settings, networks, secrets stay untouched. Report:\\n"
    >>> is_another(f"{frame}Tides are rounded twice", f"{frame}Ferry names break the search")
    True
    >>> is_another(f"{frame}Tides are rounded twice", f"{frame}Tides get rounded twice again"), is_another(frame, f"{frame}Be quick")
    (False, False)
    """
    return _of_the_rest(a, b) < SAME_REST


def _of_the_rest(a: str, b: str) -> float:
    """Return how alike two texts are in the sentences that they do not share; 1 where they share few, or one has hardly any others."""
    if a == b or min(len(a), len(b)) < MIN_FRAME_CHARS:
        return 1.0
    said, others = sentence_stems(a), sentence_stems(b)
    shared = set(filter(None, said)) & set(filter(None, others))
    for x, y in chain(zip(said, others, strict=False), zip(reversed(said), reversed(others), strict=False)):
        if x not in shared and y not in shared and ochiai(x, y) >= SAME_SENTENCE:
            shared |= {x, y}  # but for a path or a name
    if len(frozenset[str]().union(*shared)) < MANY_SHARED:
        return 1.0
    mine, theirs = (frozenset[str]().union(*(set(own) - shared)) for own in (said, others))
    return 1.0 if min(len(mine), len(theirs)) < FEW_OWN else ochiai(mine, theirs)


def near_from(nearest: float) -> float:
    """Return the similarity from which a task is as good as the nearest one, whose similarity is *nearest*.

    >>> round(near_from(0.9), 2), near_from(0.45), round(near_from(0.2), 2)
    (0.82, 0.4, 0.12)
    """
    least = nearest - MARGIN
    return max(least, LEAST) if nearest >= LEAST else least


def is_told(similarity: float, words: float, considered: int, *, foreign: bool = False) -> bool:
    """Return whether what an episode did is worth telling: about as alike as a paraphrase, or by its words more alike than the others.

    Of many episodes one is always somewhat alike. On the development split this leaves out 19 of 20 attempts at other tasks that were told
    below .6, and 4 of 24 at the task asked for. In other languages the same measure told 65 attempts at the task asked for, and .25 instead
    of .4 tells 107, 2 at other tasks, and none to 88 unrelated requests.

    Args:
        similarity: Of the two tasks.
        words: By how many standard deviations the episode has more of the request's words than others.
        considered: How many others there are: of a few, that says nothing.
        foreign: The request is in another language than English, of which a cosine sees the names alone.
    """
    least = FOREIGN_LEAST if foreign else LEAST
    return similarity >= ALIKE or (similarity >= least and (words >= STANDS_OUT or considered < MANY))
