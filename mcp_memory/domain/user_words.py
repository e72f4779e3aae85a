"""What a user's next words say about the work before them. Plain words only: where they could mean something else, they say nothing."""

import re

_LOOKED_AT_CHARS = 240  # a verdict stands at the beginning; what follows is the next task
_NEGATED = r"(?:did ?n[o']t|didn't|do(?:es)? ?n[o']t|doesn't|don't|did not|do(?:es)? not)"
_FAILED = re.compile(
    r"^wrong\b[,.!]"
    rf"|\bstill (?:fail|broken|not |{_NEGATED} |is ?n[o']t|isn't|wrong|the same|crash|red\b|get(?:ting)? (?:the|an|that) )"
    rf"|\b(?:it|this|that) (?:still )?{_NEGATED} (?:work|help|fix|pass|compile|build|run)"
    r"|\b(?:it|this|that)(?:'s| is| was) (?:wrong|incorrect|not (?:right|working|fixed|it\b|what i))"
    r"|\bsame (?:error|problem|failure)\b"
    r"|\b(?:revert|undo|roll back) (?:it|that|this|your|the change)|\byou (?:broke|have broken)\b|\bworse than before\b",
    re.IGNORECASE,
)
_WORKED = re.compile(
    r"^(?:(?:ok(?:ay)?|yes|yep|ah|oh|wow|great|cool)[,.! ]+)*"
    r"(?:thanks|thank you|thx|ty\b|perfect|awesome|excellent|brilliant|wonderful|lgtm|well done|all good"
    r"|(?:great|nice|good)(?: job| work| one)|(?:great|nice|works)(?:[.!,]|$)|looks (?:good|great|right)|works (?:now|fine|great|perfectly)"
    r"|(?:it|that|this) (?:works|worked|is fixed|fixed it|did it|did the trick|looks (?:good|great|right))|(?:the )?(?:tests?|build) pass)",
    re.IGNORECASE,
)
_BUT = re.compile(r"\b(?:but|however|except|although|though)\b", re.IGNORECASE)


def verdict_of(words: str) -> bool | None:
    """Return whether a user's next words say that the work before them succeeded (True), failed (False), or neither (None).

    >>> [verdict_of(words) for words in ("thanks!", "still failing", "Great, but it doesn't work on Windows", "Now write the changelog")]
    [True, False, False, None]
    """
    head = " ".join(words[:_LOOKED_AT_CHARS].replace("’", "'").split())
    if _FAILED.search(head):
        return False
    if _WORKED.match(head) and not _BUT.search(re.split(r"[.!?](?:\s|$)", head, maxsplit=1)[0]):
        return True
    return None
