"""From what likeness on two tasks are one, and which of several are about as alike as the nearest: only their episodes are told. Pure."""

SAME_TASK = 0.8  # likeness from which an earlier episode is an attempt at the same task: what other tasks showed is then no news
THE_TASK = 0.95  # likeness from which two tasks are the same but for a word: it is not told which task it was
ALIKE, STANDS_OUT, MANY = 0.6, 1.9, 50
FOREIGN_LEAST = 0.25
MARGIN, LEAST = 0.08, 0.4  # on the development split they keep 95 in 100 attempts at the task that is asked for, and 10 of the others


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
