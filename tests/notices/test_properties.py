"""Generated mails: genuine ones in every form, and mail that is broken at random."""

import json
from pathlib import Path

import hypothesis.strategies as st
from building import OPT_OUT, SENTENCES, Mail, notice
from hypothesis import given
from test_forwards import CLIENTS, NAMES, forward

from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Unrelated

SAMPLES = Path(__file__).parent.parent / "samples"
TABLE = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))

TLDS = st.sampled_from(["com", "it", "fr", "co.jp", "co.uk", "de", "com.mx", "com.br", "nl", "com.be", "eg"])
LOCALS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=8, max_size=32).filter(
    lambda local: not local.startswith(("noreply", "donotreply", "postmaster", "mailerdaemon"))
)
ORDERS = st.from_regex(r"[0-9]{3}-[0-9]{7}-[0-9]{7}|D01-[0-9]{7}-[0-9]{7}", fullmatch=True)
ENCODINGS = st.sampled_from(["quoted-printable", "base64", "8bit"])
CHARSETS = {
    "en": ["utf-8", "us-ascii", "iso-8859-1", "windows-1252"],
    "it": ["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-8859-15"],
    "fr": ["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-8859-15"],
    "ja": ["utf-8", "iso-2022-jp", "shift_jis", "cp932", "euc-jp"],
}


@st.composite
def genuine(draw: st.DrawFn) -> tuple[Mail, str, str, str]:
    """A genuine notice, its language, alias and order."""
    language = draw(st.sampled_from(sorted(SENTENCES)))
    tld = draw(TLDS)
    alias = f"{draw(LOCALS)}@{draw(st.sampled_from(['', 'm.']))}marketplace.amazon.{tld}"
    order = draw(ORDERS)
    mail = notice(
        language,
        alias=alias,
        order=order,
        tld=tld,
        name=draw(
            st.sampled_from(["Ginevra", "O'Brien", "Jürgen", "田中", "“Bob”", "<b>x</b>", "a@b.example"])
        ),
        rows=draw(st.integers(1, 30)),
        charset=draw(st.sampled_from(CHARSETS[language])),
        encoding=draw(ENCODINGS),
        type=draw(st.sampled_from([OPT_OUT, None])),
    )
    return mail, language, alias, order


@given(genuine())
def test_a_genuine_notice_is_recognised_in_every_form(built: tuple[Mail, str, str, str]) -> None:
    mail, language, alias, order = built
    verdict = judge(mail.render())
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.language, verdict.address, verdict.order_id) == (language, alias, order)


@given(genuine(), st.sampled_from(["fail", "none", "softfail", "temperror", "ses only", None]))
def test_the_same_notice_without_proof_never_blocks(
    built: tuple[Mail, str, str, str], results: str | None
) -> None:
    assert isinstance(judge(built[0].but(results=results).render()), Suspect)


@given(genuine(), st.sampled_from(["REFUND_ISSUED", "BBC_MESSAGE_SENT_TO_MERCHANT", "RETURN_REQUEST"]))
def test_the_same_words_under_another_type_are_unrelated(
    built: tuple[Mail, str, str, str], kind: str
) -> None:
    assert isinstance(judge(built[0].but(type=kind).render()), Unrelated)


@given(genuine(), st.sampled_from(CLIENTS), st.sampled_from(sorted(NAMES)))
def test_a_genuine_notice_survives_every_forward(
    built: tuple[Mail, str, str, str], client: object, ui: str
) -> None:
    mail, language, alias, order = built
    inner = mail.html[mail.html.index("<body") :].partition(">")[2].partition("</body>")[0]
    wrapper = client(NAMES[ui])  # type: ignore[operator]  # a function of test_forwards
    html = wrapper[: wrapper.index('<div style="display:none')] + inner + "</div>"
    raw = forward(html, encoding=mail.encoding).render()
    verdict = judge(raw, trusted={"seller@gmail.com"})
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.language, verdict.address, verdict.order_id) == (language, alias, order)
    assert isinstance(judge(raw), Suspect)


BROKEN = st.lists(
    st.tuples(st.sampled_from(["cut", "insert", "repeat", "flip"]), st.floats(0, 1), st.binary(max_size=30)),
    min_size=1,
    max_size=8,
)


def broken(raw: bytes, changes: list[tuple[str, float, bytes]]) -> bytes:
    for change, place, data in changes:
        at = int(place * len(raw))
        if change == "cut":
            raw = raw[:at] + raw[at + len(data) * 20 :]
        elif change == "insert":
            raw = raw[:at] + data + raw[at:]
        elif change == "repeat":
            raw = raw[:at] + raw[max(0, at - len(data) * 10) : at] * 2 + raw[at:]
        else:
            raw = raw[:at] + bytes(byte ^ 0x20 for byte in raw[at : at + len(data)]) + raw[at + len(data) :]
    return raw


@given(st.sampled_from(sorted(TABLE)), BROKEN)
def test_broken_mail_gets_a_verdict_and_blocks_nobody_by_accident(
    name: str, changes: list[tuple[str, float, bytes]]
) -> None:
    raw = broken((SAMPLES / name).read_bytes(), changes)
    verdict = judge(raw, trusted=TABLE[name].get("trusted", ()))
    judge(raw, from_owner=True)
    if isinstance(verdict, OptOut):
        # Such copies differ from a notice by words only, which a cut may take away.
        assert TABLE[name]["verdict"] != "unrelated" or name.startswith("unrelated/copy_without_type")
        assert verdict.address or verdict.order_id


@given(st.binary(max_size=2000))
def test_bytes_at_random_get_a_verdict(raw: bytes) -> None:
    assert isinstance(judge(raw), Unrelated)
    assert not isinstance(judge(notice().but(text="", html=raw.decode("latin-1")).render()), Unrelated)


SCRAPS = st.lists(
    st.sampled_from(
        [
            *(
                "=?utf-8?q?x=40amazon=2Ecom?=",
                "=?idna?b?eA==?=",
                "=?x",
                '"',
                "\\",
                "(",
                ")",
                "<",
                ">",
                "@",
                ";",
                ",",
            ),
            *(
                ":",
                "*",
                "%",
                "multipart/mixed",
                "text/html",
                "boundary=",
                "boundary*0*=utf-8''%2D",
                "\x1b$B",
                "\0",
            ),
            *(
                "charset=utf-16",
                "charset=punycode",
                "charset=iso-2022-jp",
                "é",
                "9" * 20,
                "Thu, 10 Sep",
            ),
            *(
                " 2026",
                "+9999",
                "25:61:61",
                "-0000",
                "amazon.com",
                "auto-communication@amazon.com",
                "(p=x",
                " ",
            ),
            *(
                "mx.google.com;",
                "dmarc=pass",
                "header.from=amazon.com",
                OPT_OUT,
                "base64",
                "quoted-printable",
            ),
        ]
    )
    | st.text(max_size=10),
    max_size=12,
).map("".join)


@given(
    st.sampled_from(
        ["from_", "subject", "date", "message_id", "type", "marketplace_id", "content_type", "encoding"]
    ),
    SCRAPS,
    SCRAPS,
)
def test_headers_at_random_get_a_verdict(field: str, value: str, results: str) -> None:
    mail = notice(rows=1)
    if field == "encoding":
        raw = mail.render().replace(
            b"Encoding: quoted-printable", b"Encoding: " + value.encode("utf-8", "ignore")
        )
    elif field == "content_type":
        raw = mail.but(content_type=value, body=mail.alternative()[1]).render()
    else:
        raw = mail.but(**{field: value}).render()
    judge(raw, trusted={"auto-communication@amazon.com"})
    judge(mail.but(results=None, above=(f"Authentication-Results: {results}",)).render())
