"""Convert HTML and plain text to the visible lines and the mailto links."""

import re
from dataclasses import dataclass
from itertools import islice

from worker.notices.header_lines import find_block
from worker.notices.mime import remove_between

# Characters. A notice has 7 to 40 KB of HTML, most of it style sheets; Outlook doubles that in a forward.
MARKUP_LIMIT = 256 * 1024
# The parser's time is quadratic in the number of open elements, and of attributes in one tag: 100,000 unclosed
# <div> take 10 seconds. Below UNLIMITED_SIZE even the worst page takes a tenth of a second; above it, tags are counted
# and overlong ones lose their attributes.
UNLIMITED_SIZE = 32 * 1024
TAG_LIMIT = 5_000
ATTRIBUTES_LIMIT = 2_000

# After "<" and a letter the match cannot fail, so that the scan is linear. An unclosed quote extends to the end, as in
# browsers.
_TAG = re.compile(r"""</?[a-zA-Z](?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))|=)*+(?:>|\Z)""")
# The first letter is tested before the name, which halves the time.
_BLOCK = re.compile(
    r"<(?=/?[bdhlptuBDHLPTU])(?=/?(?:p|div|br|t[rdh]|li|ul|d[td]|h[1-6]|table|blockquote|hr|pre)\b)",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"\f\s*")

_NEVER_TEXT = "script, style, template, title, noscript, [hidden]"
# The marks of quotations by Gmail, Apple Mail, Thunderbird, Yahoo and Outlook.
_QUOTED = "blockquote, .gmail_quote, .moz-cite-prefix, .yahoo_quoted, #divRplyFwdMsg, #appendonsend"


@dataclass(frozen=True, slots=True)
class Page:
    """text: the visible text, one line per HTML block. links: the mailto links, unchanged."""

    text: str
    links: tuple[str, ...] = ()


def read_html(source: str, *, quoted: bool) -> Page:
    """Read an HTML document. quoted: whether to include quotations."""
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415 - it takes memory, and only mail needs it

    source = _limit_markup(source)
    # Form feeds mark line breaks, since a newline in the source is only a space. They must be white space: the parser
    # moves other text out of tables.
    source = _BLOCK.sub("\f<", source)
    tree = LexborHTMLParser(source)
    for node in tree.css(_NEVER_TEXT if quoted else f"{_NEVER_TEXT}, {_QUOTED}"):
        node.decompose()
    if tree.body is None:  # a frameset
        return Page("")
    links = [(node.attributes.get("href") or "").strip() for node in tree.css("a[href], area[href]")]
    text = tree.body.text(separator="")
    if "<pre" not in source:
        text = text.replace("\n", " ")
    text = _BREAKS.sub("\n", text)
    return Page(
        text if quoted else _own_lines(text),
        tuple(link for link in links if link[:7].lower() == "mailto:"),
    )


def read_plain(source: str, *, quoted: bool) -> Page:
    """Read plain text. quoted: whether to include quotations."""
    source = source[:MARKUP_LIMIT]
    if quoted:
        return Page("\n".join(line.lstrip("> ") for line in source.splitlines()))
    return Page(_own_lines(source))


# "On Tue, 10 Sep 2026, Ann wrote:" in the languages of Amazon's marketplaces and some others. Applied to the end of one
# line, so that it cannot backtrack far.
_WROTE = re.compile(
    r"(?:wrote|writes|ha scritto|a écrit|schrieb|escribió|escreveu|schreef|heeft geschreven|skrev|napisała?"
    r"|napisał\(a\)|napsal(?:a|\(a\))?|napísala?|yazdı|كتب|書きました|のメール|kirjoitti|írta|a scris|έγραψε"  # noqa: RUF001
    r"|пишет|написала?|пише|写道|寫道|작성|\b(?:schrieb|schreef)\s[^:：]{1,80}|@[\w.-]{1,80}>)\s?[:：]?$",  # noqa: RUF001 - a wide colon
    re.IGNORECASE,
)
# "---- Original Message ----", "---------- Forwarded message ---------", "------ Begin message ------"
_RULE = re.compile(r"[-_=*]{4,}\s?[^\W_][^\n]{2,60}?\s?[-_=*]{4,}")


def introduces_other_mail(line: str) -> bool:
    """Whether this line introduces a text of somebody else, such as "Ann wrote:"."""
    line = line.strip()
    return line.endswith((":", "：")) and _WROTE.search(line[-100:]) is not None  # noqa: RUF001 - a wide colon


def _own_lines(text: str) -> str:
    """Return the writer's own lines: without quoted lines, and up to a line that introduces another mail."""
    own: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(">"):
            continue
        if introduces_other_mail(stripped):
            break
        if stripped.startswith(("--", "__", "==", "**")) and _RULE.fullmatch(stripped[:200]):
            break
        own.append(line)
    block = find_block(own)
    return "\n".join(own[: block.start] if block else own)


def _limit_markup(source: str) -> str:
    source = source.replace("\0", "").replace("\f", " ")
    if len(source) <= UNLIMITED_SIZE:
        return source
    source = remove_between(remove_between(source, "<style", "</style>"), "<!--", "-->")[:MARKUP_LIMIT]
    if len(source) <= UNLIMITED_SIZE:
        return source
    tags = _TAG.findall(source)
    if len(tags) <= TAG_LIMIT and max(map(len, tags), default=0) <= ATTRIBUTES_LIMIT:
        return source
    out, end = [], 0
    for tag in islice(_TAG.finditer(source), TAG_LIMIT):
        out.append(source[end : tag.start()])
        out.append(tag[0] if len(tag[0]) <= ATTRIBUTES_LIMIT else "<span>")
        end = tag.end()
    if len(tags) <= TAG_LIMIT:
        out.append(source[end:])
    return "".join(out)
