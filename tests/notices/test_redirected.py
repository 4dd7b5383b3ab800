"""Notices that a group or a forwarding service redirected and changed on the way."""

import pytest
from building import Mail, notice

from worker.notices.doubts import Doubt, Reason
from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Verdict

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
GROUP = "sellers@company.example"
FOUND = (
    "mx.google.com; dkim=pass header.i=@amazon.com; dmarc=pass (p=QUARANTINE dis=NONE) header.from=amazon.com"
)
ORIGINALS = (
    "X-Original-Sender: auto-communication@amazon.com",
    'X-Original-From: "Amazon.it" <auto-communication@amazon.com>',
    f"X-Original-Authentication-Results: {FOUND}",
)


def by_group(*extra: str, **changes: object) -> Mail:
    """A notice as a Google Group passes it on: its own address in From, its own domain verified."""
    mail = notice(from_=f"'Amazon.it' via Sellers <{GROUP}>", header_from="company.example")
    return mail.but(extra=extra or ORIGINALS).but(**changes)


def sealed(*domains: str, dmarc: str = "fail", arc: str = "pass", first: str = FOUND) -> Mail:
    """A notice whose text was changed, so that DMARC fails; each of these domains sealed what it had received."""
    chain = [
        f"ARC-{name}: i={number}; {value}"
        for number, domain in enumerate(domains, start=1)
        for name, value in (
            ("Seal", f"a=rsa-sha256; t=1757462692; cv=none; d={domain}; s=x; b=QWJj"),
            (
                "Authentication-Results",
                first if number == 1 else f"mx.{domain}; dmarc=fail header.from=amazon.com",
            ),
        )
    ]
    results = (
        f"Authentication-Results: mx.google.com; arc={arc} (i=1 dmarc=pass fromdomain=amazon.com);\n"
        f"       dmarc={dmarc} (p=QUARANTINE dis=NONE) header.from=amazon.com"
    )
    own = f"ARC-Seal: i={len(domains) + 1}; a=rsa-sha256; t=1757462692; cv={arc}; d=google.com; s=arc; b=QWJj"
    return notice(results=None, above=(own, results, *reversed(chain)))


def judged(mail: Mail, *redirectors: str) -> Verdict:
    # The seal that mails have by default is that of a mail which came from Amazon straight to Gmail.
    raw = mail.render().replace(
        b"ARC-Seal: i=1; a=rsa-sha256; t=1757462692; cv=none; d=google.com", b"X-Seal: x"
    )
    return judge(raw, redirectors=redirectors)


def reason(mail: Mail, *redirectors: str) -> Reason | None:
    verdict = judged(mail, *redirectors)
    return verdict.reason if isinstance(verdict, Suspect) else None


@pytest.mark.parametrize("trusted", [GROUP, "company.example"])
@pytest.mark.parametrize("changes", [{}, {"type": None}])
def test_a_notice_by_way_of_a_trusted_group_counts(trusted: str, changes: dict[str, object]) -> None:
    verdict = judged(by_group(**changes), trusted)
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.address, verdict.marketplace) == (ALIAS, "amazon.it")


def test_a_group_that_nobody_trusts_is_named() -> None:
    for others in ((), ("buyers@company.example", "example")):
        assert reason(by_group(), *others) == Reason(Doubt.REDIRECTED, GROUP)


@pytest.mark.parametrize("results", ["fail", "none"])
def test_a_group_has_to_be_the_one_that_it_says(results: str) -> None:
    assert reason(by_group(results=results), GROUP) == Reason(Doubt.DMARC_FAILED)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FOUND.replace("dmarc=pass", "dmarc=fail"), Doubt.FAILED_FIRST_CHECK),
        (FOUND.replace("from=amazon.com", "from=evil.example"), Doubt.FAILED_FIRST_CHECK),
        (f"{FOUND}\nX-Original-Authentication-Results: {FOUND}", Doubt.FAILED_FIRST_CHECK),
        ("mx.google.com; spf=pass smtp.mailfrom=bounces.amazon.com", Doubt.NO_FIRST_CHECK),
    ],
)
def test_the_group_has_to_have_found_the_first_sender_genuine(found: str, expected: Doubt) -> None:
    mail = by_group(*ORIGINALS[:2], f"X-Original-Authentication-Results: {found}")
    assert reason(mail, GROUP) == Reason(expected)
    assert reason(by_group(*ORIGINALS[:2]), GROUP) == Reason(Doubt.NO_FIRST_CHECK)


@pytest.mark.parametrize(
    "originals",
    [
        ("X-Original-Sender: mallory@evil.example", *ORIGINALS[1:]),
        ("X-Original-From: auto-communication@amazon.com.evil.example", ORIGINALS[2]),
        ('X-Original-From: "auto-communication@amazon.com" <m@evil.example>', ORIGINALS[2]),
    ],
)
def test_mail_that_somebody_else_sent_to_a_trusted_group_is_not_amazons(originals: tuple[str, ...]) -> None:
    assert reason(by_group(*originals), GROUP) == Reason(Doubt.TYPE_NOT_FROM_AMAZON, GROUP)


def test_a_seal_of_somebody_trusted_counts_although_dmarc_fails() -> None:
    mail = sealed("forwarding.example")
    assert isinstance(judged(mail, "forwarding.example"), OptOut)
    assert reason(mail) == Reason(Doubt.REDIRECTED, "forwarding.example")
    assert reason(mail, "x@forwarding.example") == Reason(Doubt.REDIRECTED, "forwarding.example")


def test_everybody_who_sealed_the_mail_has_to_be_trusted() -> None:
    mail = sealed("forwarding.example", "evil.example")
    assert reason(mail, "forwarding.example") == Reason(Doubt.REDIRECTED, "evil.example")
    assert isinstance(judged(mail, "forwarding.example", "evil.example"), OptOut)


@pytest.mark.parametrize(
    "mail",
    [
        sealed("forwarding.example", arc="fail"),
        sealed("forwarding.example", arc="none"),
        sealed("forwarding.example", first="mx.x.example; dmarc=fail header.from=amazon.com"),
        sealed("forwarding.example", first="mx.x.example; dmarc=pass header.from=evil.example"),
        sealed(),
        sealed("forwarding.example").but(extra=("ARC-Seal: i=1; cv=none; d=forwarding.example; b=QWJj",)),
        sealed("forwarding.example").but(extra=("ARC-Seal: i=3; cv=none; d=forwarding.example; b=QWJj",)),
    ],
)
def test_seals_that_do_not_vouch_for_amazon_leave_the_servers_word(mail: Mail) -> None:
    assert reason(mail, "forwarding.example") == Reason(Doubt.DMARC_FAILED)


def test_a_seal_that_a_stranger_wrote_into_a_string_does_not_count() -> None:
    forged = 'mx.google.com; spf=none smtp.mailfrom="; arc=pass; "; dmarc=fail header.from=amazon.com'
    mail = sealed("forwarding.example")
    mail = mail.but(above=(f"Authentication-Results: {forged}", *mail.above[2:]))
    assert reason(mail, "forwarding.example") == Reason(Doubt.DMARC_FAILED)


def test_seals_complete_the_word_of_a_service_that_writes_no_results() -> None:
    chain = sealed("company.example").above[2:]
    results = "Authentication-Results: mx.google.com; arc=pass; dmarc=pass header.from=company.example"
    mail = by_group(ORIGINALS[1]).but(results=None, above=(results, *chain))
    assert isinstance(judged(mail, "company.example"), OptOut)
    assert reason(mail) == Reason(Doubt.REDIRECTED, GROUP)
