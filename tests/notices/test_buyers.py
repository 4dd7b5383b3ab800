"""Which buyer an ordinary mail shows an order to belong to."""

import pytest
from building import Mail, page

from worker.notices.buyers import buyer_of

ALIAS = "k3j4h5g6f7d8s9a@marketplace.amazon.it"
ORDER = "406-1234508-7654301"


def message(text: str = f"Dov'è il mio ordine {ORDER}?", **changes: object) -> Mail:
    """A buyer's message as Gmail received it."""
    sender = ALIAS.replace("@", "+0f3b11ee-22aa-4bbb-8ccc-55dd66ee77ff@")
    return Mail(from_=f"Elio <{sender}>", type=None, subject="Domanda", html=page([text])).but(**changes)


def test_the_sender_of_a_message_about_one_order_is_its_buyer() -> None:
    assert buyer_of(message().render(), ORDER) == ALIAS


def test_the_buyer_of_amazons_own_mail_is_whom_an_answer_goes_to() -> None:
    raw = message(from_="Amazon <donotreply@amazon.it>").render()
    own = b"\r\nReply-To: Amazon <donotreply@amazon.it>"
    assert buyer_of(raw, ORDER) is None
    assert buyer_of(raw.replace(own, f"\r\nReply-To: Elio <{ALIAS}>".encode()), ORDER) == ALIAS


@pytest.mark.parametrize("text", ["Ciao.", f"{ORDER} e 402-0000000-1111111", "402-0000000-1111111"])
def test_a_mail_about_no_order_or_others_tells_nothing(text: str) -> None:
    assert buyer_of(message(text).render(), ORDER) is None


def test_a_link_to_another_order_is_not_what_the_mail_is_about() -> None:
    raw = message(f"{ORDER}: https://amazon.it/orders/402-0000000-1111111").render()
    assert buyer_of(raw, ORDER) == ALIAS


@pytest.mark.parametrize(
    "changes", [{"results": "fail"}, {"results": None}, {"from_": "Elio <elio@example.net>"}]
)
def test_a_mail_that_may_be_forged_tells_nothing(changes: dict[str, str | None]) -> None:
    assert buyer_of(message().but(**changes).render(), ORDER) is None


def test_the_sellers_own_mail_tells_its_only_addressee() -> None:
    mail = message(from_="seller@gmail.com", results=None, to=f"Elio <{ALIAS}>")
    assert buyer_of(mail.render(), ORDER, from_owner=True) == ALIAS
    both = mail.but(to=f"Elio <{ALIAS}>, zz{ALIAS}")
    assert buyer_of(both.render(), ORDER, from_owner=True) is None


def test_an_address_that_only_contains_an_alias_tells_nothing() -> None:
    for to in (f'"{ALIAS}"@evil.example', f"Elio <{ALIAS}@evil.example>", f"{ALIAS}\U0001f600.ws"):
        mail = message(from_="seller@gmail.com", results=None, to=to)
        assert buyer_of(mail.render(), ORDER, from_owner=True) is None


def test_a_domain_that_is_only_by_its_form_a_marketplace_vouches_for_nobody() -> None:
    unknown = ALIAS.replace("amazon.it", "amazon.cl")
    mail = message(from_=f"Elio <{unknown}>")
    assert buyer_of(mail.render(), ORDER) is None
    known = ALIAS.replace("amazon.it", "amazon.co.za")
    assert buyer_of(mail.but(from_=f"Elio <{known}>").render(), ORDER) == known
