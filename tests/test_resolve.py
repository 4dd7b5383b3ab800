"""Blocks known by an order alone get the buyer's address from the mailbox, if it is beyond doubt."""

from datetime import timedelta

import pytest
from sellers import EMAIL, Seller

from worker.block_list.model import Sighting
from worker.mailbox_pass.resolve import WAITS, Resolver

ORDER = "406-1234567-7654321"
BUYER = "abcd1234efgh567@marketplace.amazon.it"
OTHER = "zyxw9876vuts543@marketplace.amazon.it"
GENUINE = "mx.google.com; dkim=pass header.i=@amazon.it; dmarc=pass (p=QUARANTINE) header.from={domain}"


def mail(
    *,
    sender: str = f"Anna <{BUYER}>",
    to: str = EMAIL,
    text: str = f"When will order {ORDER} arrive?",
    results: str = GENUINE.format(domain="marketplace.amazon.it"),
    reply_to: str = "",
) -> bytes:
    lines = [f"Authentication-Results: {results}"] if results else []
    lines += [
        f"From: {sender}",
        f"To: {to}",
        "Subject: Your order",
        "Content-Type: text/plain; charset=utf-8",
    ]
    lines += [f"Reply-To: {reply_to}"] if reply_to else []
    return "\r\n".join([*lines, "", text, ""]).encode()


@pytest.fixture
def resolver(seller: Seller) -> Resolver:
    """The resolver of a mailbox with one block that is known by its order alone."""
    notice = Sighting(account=EMAIL, message_id="notice", received_at=seller.clock.now(), order_id=ORDER)
    seller.block_list.record([notice])
    return new_resolver(seller)


def new_resolver(seller: Seller) -> Resolver:
    return Resolver(seller.context)


@pytest.mark.parametrize(
    ("raw", "sent"),
    [
        (mail(), False),
        (mail(sender=f"Anna <{BUYER.replace('@', '+0e8f2d6c@')}>"), False),
        (mail(sender="Me <seller@gmail.com>", to=f"Anna <{BUYER}>", results=""), True),
        (
            mail(
                sender="Amazon <donotreply@amazon.it>",
                reply_to=BUYER,
                results=GENUINE.format(domain="amazon.it"),
            ),
            False,
        ),
    ],
    ids=["buyer's message", "with a case number", "seller's own", "reply address of Amazon's"],
)
def test_genuine_mail_about_the_order_gives_the_address(
    seller: Seller, resolver: Resolver, raw: bytes, sent: bool
) -> None:
    seller.google.deliver(EMAIL, raw, sent=sent)
    assert resolver.resolve_some() == 1
    (block,) = seller.block_list.blocks()
    assert (block.address, block.orders, block.notices) == (BUYER, (ORDER,), 1)


@pytest.mark.parametrize(
    "raws",
    [
        [],
        [mail(results="")],
        [mail(results=GENUINE.format(domain="evil.example"))],
        [mail(results="mx.google.com; dmarc=fail header.from=marketplace.amazon.it")],
        [mail(sender="Evil <x@evil.example>", reply_to=BUYER, results=GENUINE.format(domain="evil.example"))],
        [mail(text="When will order 406-1234567-7654322 arrive?")],
        [mail(text=f"Is it {ORDER} or 406-7654321-1234567?")],
        [mail(), mail(sender=f"Bob <{OTHER}>")],
        [mail(sender="Amazon <no-reply-amazon-iba-buyer@marketplace.amazon.it>")],
        [mail(sender="Me <seller@gmail.com>", to=f"{BUYER}, {OTHER}", results="")],
    ],
    ids=[
        "no mail",
        "not authenticated",
        "vouched for another domain",
        "found forged",
        "a stranger's reply address",
        "another order",
        "two orders",
        "two buyers",
        "shared address",
        "two recipients",
    ],
)
def test_whatever_leaves_a_doubt_gives_none(seller: Seller, resolver: Resolver, raws: list[bytes]) -> None:
    for raw in raws:
        seller.google.deliver(EMAIL, raw, sent=b"Me <" in raw)
    assert resolver.resolve_some() == 0
    assert [block.address for block in seller.block_list.blocks()] == [None]


def test_a_failure_is_tried_again_after_growing_waits(seller: Seller, resolver: Resolver) -> None:
    resolver.resolve_some()
    for wait in (*WAITS, WAITS[-1]):
        before = seller.google.units(EMAIL)
        seller.clock.advance((wait - timedelta(minutes=1)).total_seconds())
        new_resolver(seller).resolve_some()
        assert seller.google.units(EMAIL) == before
        seller.later(minutes=2)
        new_resolver(seller).resolve_some()
        assert seller.google.units(EMAIL) > before


def test_it_spends_a_tenth_of_the_quota_at_most(seller: Seller) -> None:
    for n in range(40):
        order = f"406-0000000-{n:07d}"
        seen = seller.clock.now()
        seller.block_list.record(
            [Sighting(account=EMAIL, message_id=str(n), received_at=seen, order_id=order)]
        )
        for _ in range(5):
            seller.google.deliver(EMAIL, mail(text=f"Order {order}", results=""))
    resolver = new_resolver(seller)
    for _ in range(5):
        before = seller.google.units(EMAIL)
        resolver.resolve_some()
        resolver.resolve_some()
        assert 0 < seller.google.units(EMAIL) - before <= 600
        seller.later(minutes=1)


def test_the_notices_themselves_do_not_crowd_out_the_mail_that_knows_the_buyer(
    seller: Seller, resolver: Resolver
) -> None:
    seller.google.deliver(EMAIL, mail())
    for _ in range(5):
        seller.later(minutes=1)
        seller.google.deliver(EMAIL, mail(sender="Amazon <auto-communication@amazon.it>"))
    assert resolver.resolve_some() == 1


def test_it_leaves_the_quota_to_new_mail_while_there_is_little(seller: Seller, resolver: Resolver) -> None:
    seller.google.deliver(EMAIL, mail())
    while seller.mailbox.quota.left() >= 50:
        with seller.mailbox.quota.spend("users.messages.batchModify"):
            pass
    now = seller.clock.now()
    assert resolver.resolve_some() == 0
    assert seller.clock.now() == now
    seller.later(minutes=1)
    assert resolver.resolve_some() == 1


def test_orders_of_other_accounts_are_left_to_them(seller: Seller) -> None:
    notice = Sighting(
        account="other@gmail.com", message_id="n", received_at=seller.clock.now(), order_id=ORDER
    )
    seller.block_list.record([notice])
    seller.google.deliver(EMAIL, mail())
    assert new_resolver(seller).resolve_some() == 0
