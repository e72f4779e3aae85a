"""What a user's next words say about the work before them. Plain words only: where they could mean something else, they say nothing."""

import re

_LOOKED_AT_CHARS = 240  # a verdict stands at the beginning; what follows is the next task
_THIS = r"(?:it|this|that|these|those|(?:the )?(?:tests?|build|error|problem|bug|page|app|script))"
_FAILED = re.compile(
    rf"^(?:no|nope|wrong)\b(?:[,.!]| that| it|$)"
    rf"|\bstill (?:fail|broken|not |does ?n[o']t|doesn't|is ?n[o']t|isn't|wrong|the same|crash|red\b|get(?:ting)? (?:the|an|that) )"
    rf"|\b{_THIS} (?:still )?(?:did ?n[o']t|didn't|do(?:es)? ?n[o']t|doesn't|don't|did not|do(?:es)? not) (?:work|help|fix|pass|compile|build|run)"
    rf"|\b(?:that|this|it)(?:'s| is| was) (?:wrong|incorrect|not (?:right|working|fixed|it|what i))"
    rf"|\bnot (?:fixed|working)\b|\bsame (?:error|problem|failure)\b"
    rf"|\b(?:revert|undo|roll back) (?:it|that|this|your|the change)|\byou (?:broke|have broken)\b|\bfails? again\b|\bworse than before\b",
    re.IGNORECASE,
)
_WORKED = re.compile(
    r"^(?:(?:ok(?:ay)?|yes|yep|ah|oh|wow|great|cool)[,.! ]+)*"
    r"(?:thanks|thank you|thx|ty\b|perfect|great(?:[.!,]|$| job| work)|nice(?:[.!,]|$| job| work| one)|awesome|excellent|brilliant|wonderful|lgtm"
    r"|looks (?:good|great|right)|well done|good (?:job|work)|all good|works(?:[.!,]|$| now| fine| great| perfectly)"
    r"|(?:it|that|this) (?:works|worked|is fixed|fixed it|did it|did the trick|looks (?:good|great|right))|(?:tests?|build) pass(?:es)?\b)",
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
