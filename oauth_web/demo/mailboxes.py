"""The demo's mail: two mailboxes with four months of mail, and new notices.

It is random with a fixed seed, so the same each time; only the dates are relative to now.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from oauth_web.demo.mails import (
    Sale,
    forged_notice,
    forward,
    from_amazon,
    invent_sale,
    notice,
    notice_in_guessed_words,
    render,
)

SELLER = "seller@gmail.com"
SHOP = "orders@second-shop.example"
ACCOUNTS = (SELLER, SHOP)

_SEED = 2026
_WEEKS = (3, 5, 2, 6, 4, 7, 5, 3, 6, 8, 4, 9, 7, 5, 8, 11, 6)  # notices per week, the current week last
_MARKETPLACES = {
    ("it", "it"): 6,
    ("de", "de"): 5,
    ("co.uk", "en"): 4,
    ("fr", "fr"): 4,
    ("com", "en"): 3,
    ("es", "es"): 2,
    ("co.jp", "ja"): 2,
    ("nl", "nl"): 1,
    ("pl", "pl"): 1,
    ("se", "sv"): 1,
}  # weights by top-level domain and language
_WITHOUT_ALIAS = 20  # one notice in so many has only the order
_FORWARDED = 4  # one new notice in so many is forwarded by the seller

# Sender, type, subject and text of Amazon's other mail.
_QUESTION = (
    "{alias}",
    "BBC_MESSAGE_SENT_TO_MERCHANT",
    "Question about order {order}",
    "Does it come with a plug?",
)
_OTHER_MAIL = (
    _QUESTION,
    ("donotreply@amazon.com", "REFUND_ISSUED", "Refund for order {order}", "You refunded order {order}."),
    ("donotreply@amazon.com", "RETURN_REQUEST", "Return authorised", "Order {order} will be returned."),
    (
        "auto-communication@amazon.{tld}",
        "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT",
        "Your message about order {order}",
        "You wrote: How do you like it? Buyers may opt out of receiving unsolicited messages.",
    ),
    (
        "atoz-guarantee-no-reply@amazon.com",
        "A_Z_CLAIM_RESPONDENT_NOTIFY",
        "A-to-z claim on order {order}",
        "Please answer within 72 hours.",
    ),
)
_PRIVATE_MAIL = (
    ("Nina <nina@friends.example>", "Lunch on Friday?", "The usual place, at one?"),
    ("Parcels <info@parcels.example>", "Your parcel is on its way", "It arrives tomorrow before noon."),
    (
        "Digest <news@sellers.example>",
        "Your message to a buyer could not be delivered: what now?",
        "Read on.",
    ),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail for an account. key: the alias or order that it adds to the block list; None for other mail."""

    account: str
    mail: bytes
    at: datetime
    key: str | None = None


def old_mail(now: datetime) -> list[Delivery]:
    """Return the initial mail of both mailboxes, the oldest first."""
    chance = random.Random(_SEED)  # noqa: S311 - nothing secret
    found = [*_notices(chance, now), *_other_mail(chance, now)]
    found.append(_forwarded(chance, SELLER, _in_the_past(chance, now, days=30)))
    return sorted(found, key=lambda delivery: delivery.at)


def news(chance: random.Random, now: datetime, number: int, forward_to: str | None) -> Delivery:
    """Return a new notice. forward_to: the seller's address for forwards, None if not known yet."""
    if forward_to and number % _FORWARDED == 1:
        return _forwarded(chance, forward_to, now)
    sale, account = _sale(chance), _account(chance)
    return Delivery(account, notice(sale, account, now), now, sale.alias)


def _notices(chance: random.Random, now: datetime) -> Iterator[Delivery]:
    number = 0
    for age, count in enumerate(reversed(_WEEKS)):
        for _ in range(count):
            number += 1
            sale, account = _sale(chance), _account(chance)
            at = _in_the_past(chance, now - timedelta(weeks=age), days=7)
            named = number % _WITHOUT_ALIAS != 0
            yield Delivery(
                account, notice(sale, account, at, with_alias=named), at, sale.alias if named else sale.order
            )


def _other_mail(chance: random.Random, now: datetime) -> Iterator[Delivery]:
    for account in ACCOUNTS:
        for parts in _OTHER_MAIL:
            at = _in_the_past(chance, now, days=100)
            yield Delivery(account, from_amazon(*parts, _sale(chance), account, at), at)
        for sender, subject, text in _PRIVATE_MAIL:
            at = _in_the_past(chance, now, days=100)
            yield Delivery(account, render(sender, account, subject, f"<p>{text}</p>", at), at)
    for doubtful, account in ((forged_notice, SELLER), (notice_in_guessed_words, SHOP)):
        at = _in_the_past(chance, now, days=20)
        yield Delivery(account, doubtful(invent_sale("de", "de", chance), account, at), at)
    yield from _resolvable_order(chance, now)


def _resolvable_order(chance: random.Random, now: datetime) -> Iterator[Delivery]:
    """Yield a notice with only an order, and a message of the buyer by which the program finds the alias."""
    sale = invent_sale("it", "it", chance)
    at = _in_the_past(chance, now, days=20)
    asked_at = at - timedelta(days=1)
    yield Delivery(SELLER, from_amazon(*_QUESTION, sale, SELLER, asked_at), asked_at)
    yield Delivery(SELLER, notice(sale, SELLER, at, with_alias=False), at, sale.alias)


def _forwarded(chance: random.Random, to: str, at: datetime) -> Delivery:
    """Return a notice forwarded by the seller, in Italian: a forward counts only in proven wording."""
    sale = invent_sale("it", "it", chance)
    return Delivery(SELLER, forward(notice(sale, SELLER, at), SELLER, to, at), at, sale.alias)


def _account(chance: random.Random) -> str:
    return chance.choices(ACCOUNTS, (3, 1))[0]


def _sale(chance: random.Random) -> Sale:
    ((tld, language),) = chance.choices(tuple(_MARKETPLACES), tuple(_MARKETPLACES.values()))
    return invent_sale(tld, language, chance)


def _in_the_past(chance: random.Random, now: datetime, *, days: int) -> datetime:
    return now - timedelta(seconds=chance.randrange(3_600, days * 86_400))
