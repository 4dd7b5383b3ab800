"""HTML and plain text to what a reader sees: lines of text, and where the mail links lead."""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

# A notice has 7 to 40 KB of HTML, most of it style sheets; a forward by Outlook doubles that.
SOURCE_LIMIT = 1024 * 1024
MARKUP_LIMIT = 256 * 1024
# The parser's time grows with the square of open elements, and of attributes in one tag: 100,000 unclosed
# <div> take it 10 seconds. Below TRUSTED_SIZE even the worst page takes a tenth of a second; above it, tags
# are counted and overlong ones lose their attributes.
TRUSTED_SIZE = 48 * 1024
TAG_LIMIT = 10_000
ATTRIBUTES_LIMIT = 2_000

# Starts at "<" and a letter and then cannot fail, so that the scan is linear: a quote that is never
# closed swallows the rest, as it does in a browser.
_TAG = re.compile(
    r"""<(/?[a-zA-Z][^\s/>]*+)((?:=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))|[^>=]++|=)*+)(?:>|\Z)"""
)
_BLOCK = re.compile(r"<(?=/?(?:p|div|br|tr|li|ul|h[1-6]|table|blockquote|hr|pre)\b)", re.IGNORECASE)
_CELL = re.compile(r"<(?=/?(?:td|th|dt|dd)\b)", re.IGNORECASE)

_NEVER_TEXT = "script, style, template, title, noscript, [hidden]"
# Quotations as Gmail, Apple Mail, Thunderbird, Yahoo and Outlook mark them.
_QUOTED = "blockquote, .gmail_quote, .moz-cite-prefix, .yahoo_quoted, #divRplyFwdMsg, #appendonsend"


@dataclass(frozen=True, slots=True)
class Page:
    """text: visible text, a line for each block. links: the targets of mailto links, as written."""

    text: str
    links: tuple[str, ...] = ()


def read_html(source: str, *, quoted: bool) -> Page:
    """Read an HTML document; ``quoted`` says whether quotations belong to the text."""
    source = _CELL.sub(" <", _BLOCK.sub("\n<", _tame(source)))
    tree = LexborHTMLParser(source)
    unwanted = _NEVER_TEXT if quoted else f"{_NEVER_TEXT}, {_QUOTED}"
    for node in tree.css(unwanted):
        node.decompose()
    if tree.body is None:  # a frameset
        return Page("")
    links = [node.attributes.get("href") or "" for node in tree.css("a[href], area[href]")]
    mail_links = (link.strip() for link in links)
    return Page(
        tree.body.text(separator=""),
        tuple(link for link in mail_links if link[:7].lower() == "mailto:"),
    )


def _tame(source: str) -> str:
    source = source[:SOURCE_LIMIT].replace("\0", "")
    if len(source) <= TRUSTED_SIZE:
        return source
    source = _without(_without(source, "<style", "</style"), "<!--", "-->")[:MARKUP_LIMIT]
    if len(source) <= TRUSTED_SIZE:
        return source
    out, end = [], 0
    for count, tag in enumerate(_TAG.finditer(source)):
        if count >= TAG_LIMIT:
            break
        out.append(source[end : tag.start()])
        out.append(tag[0] if len(tag[2]) <= ATTRIBUTES_LIMIT else f"<{tag[1][:20]}>")
        end = tag.end()
    else:
        out.append(source[end:])
    return "".join(out)


def _without(source: str, opening: str, closing: str) -> str:
    """Cut every stretch from opening to closing; one that is never closed stays."""
    lower = source.lower()
    if len(lower) != len(source):  # letters that grow in lower case, such as the Turkish İ
        lower = source
    out, end = [], 0
    while (begin := lower.find(opening, end)) >= 0 and (close := lower.find(closing, begin)) >= 0:
        out.append(source[end:begin])
        end = close + len(closing)
    out.append(source[end:])
    return "".join(out)


# "On Tue, 10 Sep 2026, Ann wrote:" in the languages of Amazon's marketplaces. Line by line, with a bounded
# length, so that nothing can make the pattern wander.
_WROTE = re.compile(
    r"(?:wrote|writes|ha scritto|a écrit|schrieb|escribió|escreveu|schreef|heeft geschreven|skrev|napisała?"
    r"|napisał\(a\)|yazdı|şunu yazdı|كتب|さんは書きました|のメール)\s?:?$",  # noqa: RUF001 - Turkish
    re.IGNORECASE,
)
_RULE = re.compile(r"^[-_=*\s]{0,10}(?:[-_=*]{5,})\s?\S{0,40}(?: \S{1,40}){0,4}\s?[-_=*]*$")


def read_plain(source: str, *, quoted: bool) -> Page:
    """Read plain text; ``quoted`` says whether quotations belong to the text."""
    source = source[:SOURCE_LIMIT]
    if quoted:
        return Page("\n".join(line.lstrip("> ") for line in source.splitlines()))
    own = []
    for line in source.splitlines():
        stripped = line.strip()
        if stripped.startswith(">"):
            continue
        if len(stripped) < 300 and _WROTE.search(stripped):
            break
        own.append(line)
    return Page("\n".join(own))
