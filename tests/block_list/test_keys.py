"""Keys in every spelling that people paste, and a reason for what is none."""

import pytest

from worker.block_list.keys import parse_key
from worker.errors import UsageError

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"


@pytest.mark.parametrize(
    "text",
    [
        ALIAS,
        ALIAS.upper(),
        f"  {ALIAS}\n",
        f"\ufeff{ALIAS}",
        f"<{ALIAS}>",
        f'"Anna (via Amazon)" <{ALIAS}>',
        f"mailto:{ALIAS}?subject=%20[x]",
        f"MAILTO:{ALIAS.replace('@', '%40')}",
        f"<mailto:{ALIAS}>",
        "k4q8z1x7c3v9b2n+0f8fad5b-d9cb-469f-a165-70867728950e@marketplace.amazon.it",
        f"'{ALIAS}';",
    ],
)
def test_an_alias_in_any_spelling_is_one_key(text: str) -> None:
    key = parse_key(text)

    assert (key.text, key.kind, key.marketplace) == (ALIAS, "alias", "amazon.it")


@pytest.mark.parametrize("tld", ["co.za", "ie", "com.co", "cl"])
def test_an_alias_of_any_marketplace_is_a_key_and_keeps_its_marketplace(tld: str) -> None:
    key = parse_key(f"K4q8z1x7\u200bc3v9b2n@marketplace.amazon.{tld}")

    assert (key.text, key.marketplace) == (f"k4q8z1x7c3v9b2n@marketplace.amazon.{tld}", f"amazon.{tld}")


@pytest.mark.parametrize("text", [ORDER, f"[{ORDER}]", f" {ORDER} ", f"({ORDER})"])
def test_an_order_id_in_any_spelling_is_one_key(text: str) -> None:
    key = parse_key(text)

    assert (key.text, key.kind, key.marketplace) == (ORDER, "order", None)


def test_a_digital_order_is_a_key() -> None:
    assert parse_key("d01-1234567-1234567").text == "D01-1234567-1234567"


def test_the_prefix_of_the_marketplace_domain_is_kept() -> None:
    key = parse_key("abcdefgh1234567@m.marketplace.amazon.co.jp")

    assert (key.text, key.marketplace) == ("abcdefgh1234567@m.marketplace.amazon.co.jp", "amazon.co.jp")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("hello", "neither a buyer's address nor an order ID"),
        ("406-1234508-765430", "neither a buyer's address nor an order ID"),
        (f"{ORDER} {ORDER}", "neither a buyer's address nor an order ID"),
        ("anna@example.org", "this one does not"),
        (f"{ALIAS}.example.com", "this one does not"),
        ("no-reply-amazon-iba-buyer@marketplace.amazon.de", "stands for many buyers"),
        (f"blacklisted-{ALIAS}", "remove the prefix"),
        ("short@marketplace.amazon.it", "8 to 32 letters and digits"),
        ("x" * 400, "too long"),
    ],
)
def test_what_is_no_key_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_key(text)
