"""Forwards in the layouts of some two hundred mail programs and languages, genuine and made up."""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pytest
from building import ADVICE, GREETINGS, LINK_WORDS, SENTENCES, SUBJECTS, Mail

from worker.notices.doubts import Doubt
from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Verdict

COLLEAGUE = "colleague@example.com"
NOTICES = {
    language: (f"{number}r7t2w9b4n6m1c3@marketplace.amazon.{tld}", f"30{number}-4455667-7654321")
    for number, (language, tld) in enumerate(
        (("en", "co.uk"), ("it", "it"), ("fr", "fr"), ("ja", "co.jp")), start=2
    )
}
WHEN = "10/09/2026 02:04:50"

# From, Date, Subject and To by their first letters, in the order in which each program writes them. Others: FDST.
ORDERS = {
    "apple": "FSDT",
    "thunderbird": "SDFT",
    "yahoo": "FTDS",
    "outlook-new": "FDTS",
    "outlook-web": "FDTS",
    "outlook-2013": "FDTS",
    "emclient": "FTDS",
    "163": "FDTS",
    "163-table": "FDTS",
    "foxmail": "FDTS",
    "qq": "FDTS",
    "pec": "FTDS",
    "missive": "FDTS",
    "ionos": "FTDS",
    "samsung": "FDTS",
}
LINES = {
    "yahoo": "{name}: {value}",
    "thunderbird": "{name}: \t{value}",
    "hubspot": "{name}：{value}",  # noqa: RUF001 - a wide colon
    "emclient": "{name} {value}",
    "163": "| {name} | {value} |",
    "163-table": "{name}\n{value}",
}
MARGINS = {"apple": "> ", "mailmate": "> ", "ionos": "> ", "outlook-mac": "    "}
NO_LINE_BELOW = ("outlook-new", "yahoo")


@dataclass(frozen=True)
class Layout:
    """A row of the table. above: the line above, or the only one. names: of From, Date, Subject and To."""

    program: str
    language: str
    known: bool
    above: str
    names: tuple[str, ...]

    def wrap(self, name: str, address: str, subject: str, body: str, to: str = COLLEAGUE) -> str:
        """This mail as the program forwards it."""
        margin = MARGINS.get(self.program, "")
        if not self.names:
            head = self.above.format(date=WHEN, name=name, address=address).replace("-- ", "--\n")
        else:
            head = self._head(f"{name} <{address}>" if address else name, subject, to)
        text = head + ("\n" if self.program in NO_LINE_BELOW else "\n\n") + body
        return "\n".join(f"{margin}{line}" for line in text.splitlines())

    def _head(self, sender: str, subject: str, to: str) -> str:
        values = {"F": sender, "D": WHEN, "S": subject, "T": to}
        named = dict(zip("FDST", self.names, strict=True))
        line = LINES.get(self.program, "{name}: {value}")
        order = ORDERS.get(self.program, "FDST")
        lines = [line.format(name=named[kind], value=values[kind]) for kind in order]
        if self.program == "yahoo":
            return f"   {self.above} {''.join(lines)}"
        return "\n".join([*filter(None, [self.above]), *lines])


def read(line: str) -> Layout:
    begin, above, *names = (cell.strip() for cell in line.removeprefix("?").split(" |"))
    program, _, language = begin.partition(" ")
    return Layout(program, language, not line.startswith("?"), above, tuple(names))


TABLE = Path(__file__).parent.parent / "samples" / "forward_layouts.txt"
LAYOUTS = [read(line) for line in TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
every_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda it: f"{it.program}-{it.language}")


def text_of(language: str) -> str:
    alias, order = NOTICES[language]
    said = SENTENCES[language].format(order=order, name="Ginevra", day="9 settembre 2026")
    return f"{GREETINGS[language]}\n\n{said}\n\n{ADVICE[language]}\n\n{LINK_WORDS[language]} <mailto:{alias}>"


def forwarded(text: str, subject: str, *, as_html: bool) -> Verdict:
    lines = "".join(f"<div>{escape(line) or '<br>'}</div>" for line in text.splitlines())
    mail = Mail(
        from_=f"Colleague <{COLLEAGUE}>",
        subject=f"Fwd: {subject}",
        type=None,
        html=f"<html><body>{lines}</body></html>" if as_html else "",
        text="" if as_html else text,
    )
    return judge(mail.render(), trusted={COLLEAGUE})


NOTE = "Please add this one.\n\nAnna Verdi\nTel: +39 02 1234567\n\n"


@every_layout
def test_a_forwarded_notice_gives_its_buyer_or_waits_for_a_person(layout: Layout) -> None:
    for language, found in NOTICES.items():
        text = layout.wrap("Amazon", "auto-communication@amazon.com", SUBJECTS[language], text_of(language))
        for as_html in (False, True):
            verdict = forwarded(NOTE * as_html + text, SUBJECTS[language], as_html=as_html)
            if layout.known:
                assert isinstance(verdict, OptOut), (language, as_html, verdict)
                assert (verdict.address, verdict.order_id) == found
            else:
                assert isinstance(verdict, Suspect), (language, as_html)
                assert verdict.reason.doubt is Doubt.FORWARD_NOT_UNDERSTOOD


# With what a stranger may begin his mail.
MADE_UP = [
    layout.wrap("Amazon.it", "auto-communication@amazon.com", SUBJECTS["it"], text_of("it"))
    for layout in LAYOUTS
    if layout.language == "en" and layout.program in ("gmail", "yahoo", "outlook-mac", "163-table")
]


def in_letters_that_nobody_knows(text: str) -> str:
    """The same in a script of which no header names are known; what the stranger chose stays."""
    parts = re.split(r"(Mallory|hello|\S+@\S+)", text)
    return "".join(
        part if at % 2 else "".join(chr(0x1380 + ord(it) % 16) if it.isalpha() else it for it in part)
        for at, part in enumerate(parts)
    )


@every_layout
def test_header_lines_that_a_stranger_made_up_never_block(layout: Layout) -> None:
    for address, to in (("mallory@evil.example", COLLEAGUE), ("", "Colleague")):
        head, _, _ = layout.wrap("Mallory", address, "hello", "@@@", to).partition("@@@")
        for above in (head, in_letters_that_nobody_knows(head)):
            for number, made_up in enumerate(MADE_UP):
                verdict = forwarded(above + made_up, SUBJECTS["it"], as_html=bool(number % 2))
                assert not isinstance(verdict, OptOut), above + made_up
