"""The texts of a Decidim: out of HTML, and as they may be shown.

`plain_text` keeps the words and the line ends of HTML and no markup, in time proportional to its length whatever it
is given (html.parser of this Python takes a minute over 120 kB of "<p>" or of open quotes, so it is not used).
`Cleaner` masks e-mail addresses, account numbers and long numbers (`sources.texts`, with its limits) and
replaces what no text may hold; it refuses nothing, as one odd text must not stop a whole export, and counts.

Does not check: names, street addresses, or anything else in a text that tells
who wrote it; moderation must.
"""

from __future__ import annotations

import re
from html import unescape

from auzolan.deliberate.decidim.entities import Left
from auzolan.deliberate.sources.texts import mask

_BLOCK_NAMES = (
    "address article aside blockquote br dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
    "header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_APART = frozenset(("blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "p", "pre"))  # with an empty line around them
_DROPPED = frozenset(("script", "style"))
# Each try ends at the next "<", so that a text of nothing but "<" is still read once.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)(?:[\s/](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*|[\s/][^<>]*)?>")
_SPACES = re.compile(r"[ \t\u00a0]+")
_LINE_ENDS = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MASKABLE = re.compile(r"[@\d]")  # asked first, as most texts have neither
_REPLACEMENT = "\ufffd"


def plain_text(html: str) -> str:
    """Return what HTML says: blocks and breaks as line ends, entities resolved, scripts and styles left out.

    A text without block elements or breaks keeps its own line ends; in one that has them, they are spaces, as for a
    browser. It never fails: what is no markup (such as "a < b") is text.
    """
    if "<" not in html and "&" not in html:
        return html
    html = _without_comments(html)
    tags = list(_TAG.finditer(html))
    text = _laid_out(html, tags, any(tag[2].lower() in _BLOCKS for tag in tags))
    lines = _LINE_ENDS.sub("\n", _SPACES.sub(" ", text))
    return _GAPS.sub("\n\n", lines).strip()


def _without_comments(html: str) -> str:
    kept, at = [], 0
    while (begins := html.find("<!--", at)) >= 0 and (ends := html.find("-->", begins + 4)) >= 0:
        kept.append(html[at:begins])
        at = ends + 3
    return "".join((*kept, html[at:]))


def _laid_out(html: str, tags: list[re.Match[str]], has_blocks: bool) -> str:
    """Return the text between the tags; line ends are held back until text follows, so that they do not add up."""
    parts: list[str] = []
    at, ends, dropping = 0, 0, ""
    for tag in tags:
        if not dropping and at < tag.start():
            ends = _add(parts, html[at : tag.start()], ends, has_blocks)
        at, name = tag.end(), tag[2].lower()
        if dropping:
            dropping = "" if tag[1] and name == dropping else dropping
        elif name in _DROPPED:
            dropping = "" if tag[1] else name
        elif name == "br":
            ends += 1
        elif name in _BLOCKS:
            ends = max(ends, 2 if name in _APART else 1)
    if not dropping:
        _add(parts, html[at:], ends, has_blocks)
    return "".join(parts)


def _add(parts: list[str], data: str, ends: int, has_blocks: bool) -> int:
    """Add text after so many line ends and return how many are held back now."""
    text = unescape(data)
    if has_blocks:
        text = text.replace("\r", " ").replace("\n", " ")
        if ends and not text.strip():
            return ends
    parts.append("\n" * ends)
    parts.append(text)
    return 0


def masks(html: str) -> bool:
    """Whether something in a text, in its markup or in what is left out of it would be masked if it were shown."""
    if "&" not in html and not _MASKABLE.search(html):
        return False
    texts = dict.fromkeys((html, unescape(html), plain_text(html)))
    return any(found.emails or found.numbers for found in map(mask, texts))


class Cleaner:
    """Cleans the texts of one source and counts what it did.

    Attributes:
        emails: e-mail addresses masked.
        numbers: account numbers and long numbers masked.
        control: control characters and halves of characters replaced.
    """

    def __init__(self) -> None:
        self.emails = 0
        self.numbers = 0
        self.control = 0

    def clean(self, text: str) -> str:
        """Return a text as it may be shown; line ends become "\\n" and spaces around it are left out."""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if not text.isprintable():
            text, replaced = _CONTROL.subn(_REPLACEMENT, text)
            self.control += replaced
        if _MASKABLE.search(text):
            text, emails, numbers = mask(text)
            self.emails += emails
            self.numbers += numbers
        return text.strip()

    @property
    def left(self) -> tuple[Left, ...]:
        """What was done, also where it was done nowhere."""
        return (
            Left("e-mail addresses masked in texts", self.emails),
            Left("long numbers masked in texts", self.numbers),
            Left("control characters and halves of characters replaced in texts", self.control),
        )
