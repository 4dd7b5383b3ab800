"""Sellers of one host: who gets in, and that each has a part of their own."""

from dataclasses import replace
from pathlib import Path

import pytest

from oauth_web.access.owners import Owners, Role
from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.errors import SettingsError, UsageError
from worker.host.tenants import Tenants

pytestmark = pytest.mark.postgres
KEY = "k4q8z1x7c3v9b2n@marketplace.amazon.it"


def with_rule(tenants: Tenants, rule: str) -> Tenants:
    """Return the same host under another rule."""
    return Tenants(tenants.pool, replace(tenants.settings, host_sign_up=rule), tenants.clock)


def test_each_account_that_signs_in_gets_a_list_of_its_own(tenants: Tenants) -> None:
    ann, bob = tenants.admit("Ann@gmail.com"), tenants.admit("bob@gmail.com")
    assert ann is not None
    assert bob is not None
    assert tenants.admit("ann@gmail.com") == ann
    tenants.app(ann).block_list.block([KEY], by="test")
    assert [len(tenants.app(it).block_list) for it in (ann, bob)] == [1, 0]
    assert tenants.all() == {ann: "ann@gmail.com", bob: "bob@gmail.com"}
    assert tenants.app(ann) is tenants.app(ann)


@pytest.mark.parametrize(
    ("rule", "enters"),
    [
        ("open", True),
        ("closed", False),
        ("gmail.com", True),
        ("@gmail.com, example.com", True),
        ("ann@gmail.com bob@gmail.com", True),
        ("example.com, mail.com", False),
        ("xann@gmail.com", False),
    ],
)
def test_the_rule_says_who_gets_a_list(tenants: Tenants, rule: str, enters: bool) -> None:
    assert (with_rule(tenants, rule).admit("ann@gmail.com") is not None) is enters


def owners_of(tenants: Tenants, tenant: int | None) -> Owners:
    assert tenant is not None
    return Owners(tenants.app(tenant).database)


def test_whom_an_owner_has_let_in_chooses_once_and_known_sellers_enter_whatever_the_rule(
    tenants: Tenants,
) -> None:
    ann, email = tenants.admit("ann@gmail.com"), "colleague@example.com"
    owners_of(tenants, ann).add(email, Role.READ, by="deputy@gmail.com")
    closed = with_rule(tenants, "closed")
    assert tenants.choices(email) == {"ann@gmail.com": "deputy@gmail.com", email: ""}
    assert closed.choices(email) == {"ann@gmail.com": "deputy@gmail.com"}
    for chosen in ("", "bob@gmail.com"):
        assert closed.admit(email, chosen) is None is tenants.admit(email, chosen)
    assert closed.admit(email, "ann@gmail.com") == ann == closed.admit("ann@gmail.com")
    owners_of(tenants, ann).accept_invitation(email)
    assert (tenants.choices(email), closed.admit(email)) == ({}, ann)
    assert closed.admit("") is None


def test_who_has_entered_at_one_seller_goes_there_whoever_else_lets_them_in(tenants: Tenants) -> None:
    eve, ann = (tenants.admit(it) for it in ("eve@gmail.com", "ann@gmail.com"))
    email = "colleague@example.com"
    owners_of(tenants, ann).add_account(email, of="ann@gmail.com")
    assert tenants.choices(email) == {}, "nobody let it in"
    owners_of(tenants, ann).claim("ann@gmail.com")
    owners_of(tenants, ann).add_account(email, of="ann@gmail.com")
    owners_of(tenants, eve).add(email, Role.FULL)
    assert (tenants.choices(email), tenants.admit(email)) == ({}, ann)
    owners_of(tenants, ann).remove(email)
    assert tenants.choices(email) == {"eve@gmail.com": "eve@gmail.com", email: ""}
    assert tenants.admit(email, email) == tenants.of_owner(email) != eve
    assert (tenants.choices(email), tenants.admit(email)) == ({}, tenants.of_owner(email))


def test_a_mailbox_belongs_to_one_seller_until_it_is_disconnected(
    tenants: Tenants, google: Sandbox, tmp_path: Path
) -> None:
    ann, bob = tenants.add("ann@gmail.com"), tenants.add("bob@gmail.com")
    grant = sign_in(google, tmp_path, "seller@gmail.com")
    tenants.app(ann).connect(grant)
    with pytest.raises(UsageError, match="another seller"):
        tenants.app(bob).connect(grant)
    assert tenants.app(bob).accounts.all() == []
    with pytest.raises(UsageError, match="another seller"):
        tenants.claim_mailbox("seller@gmail.com", bob)
    tenants.app(ann).disconnect("seller@gmail.com")
    tenants.claim_mailbox("seller@gmail.com", bob)


def test_a_seller_who_is_removed_leaves_nothing(tenants: Tenants, google: Sandbox, tmp_path: Path) -> None:
    ann = tenants.add("ann@gmail.com")
    tenants.app(ann).connect(sign_in(google, tmp_path, "seller@gmail.com"))
    tenants.remove(ann)
    assert (tenants.all(), tenants.looks.times(ann)) == ({}, {})
    tenants.claim_mailbox("seller@gmail.com", tenants.add("bob@gmail.com"))


def test_the_host_has_a_part_of_its_own_that_nobody_can_sign_in_to(tenants: Tenants) -> None:
    tenants.host_database.documents("preferences").put({"x": {"y": 1}})
    assert tenants.of_owner("") is None
    assert tenants.all() == {}


@pytest.mark.parametrize("key", [None, "short", "k" * 32 + " short"])
def test_a_host_does_not_start_without_a_key(tenants: Tenants, key: str | None) -> None:
    with pytest.raises(SettingsError, match="BUYERBLOCK_SECRET_KEY"):
        Tenants(tenants.pool, replace(tenants.settings, secret_key=key), tenants.clock)
