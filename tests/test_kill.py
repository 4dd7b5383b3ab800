"""The program is killed (SIGKILL) at a call to Gmail, before or after the call took effect, and started again."""

import os
from pathlib import Path

import pytest
from forks import Child, seller_with_mail
from sellers import EMAIL, Seller

from oauth_web.demo.sandbox import Fault

MAILS = (
    "opt_out/it_specimen_shape.eml",
    "opt_out/en_order_only.eml",
    "opt_out/fr_no_brackets.eml",
    "suspect/several_orders.eml",
    "unrelated/refund_issued.eml",
    "unrelated/copy_with_quoted_notice.eml",
    "unrelated/failed_for_another_reason.eml",
)
# The first pass over these mails makes some 36 calls; these spread over all of its steps.
KILLED_AT = (1, 2, 4, 6, 8, 11, 13, 15, 17, 18, 20, 22, 24, 26, 28, 30, 31, 32, 33, 34)


def sync(seller: Seller, *, killed_at: int | None = None, after_effect: bool = False) -> int:
    """Run one pass in a process of its own, and return how many calls it made; kill it at a call."""
    calls = 0
    child = Child(seller)

    def fault(_number: int, _method: str, _email: str) -> Fault | None:
        nonlocal calls
        calls += 1
        if calls != killed_at:
            return None
        return Fault(after=child.kill) if after_effect else Fault(before=child.kill, cut="before")

    seller.google.fault = fault
    code = child.run_pass()
    seller.google.fault = None
    assert code == (0 if killed_at is None else -9)
    return calls


def outcome(seller: Seller) -> tuple[object, ...]:
    """Return all that a pass leaves behind: the block list, the review list, every message's labels."""
    blocks = [(it.key, it.orders, it.notices, it.evidence) for it in seller.block_list.blocks()]
    return blocks, seller.review.items(), seller.google.mailbox(EMAIL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[object, ...]:
    with seller_with_mail(tmp_path_factory.mktemp("undisturbed"), MAILS) as seller:
        assert sync(seller) > max(KILLED_AT), "the last kills would never come"
        return outcome(seller)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="This system has no fork.")
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("killed_at", KILLED_AT)
def test_a_kill_at_any_call_leaves_the_same_lists_and_the_same_mailbox(
    killed_at: int, after_effect: bool, undisturbed: tuple[object, ...], tmp_path: Path
) -> None:
    with seller_with_mail(tmp_path, MAILS) as seller:
        sync(seller, killed_at=killed_at, after_effect=after_effect)
        seller.restart()
        seller.run_pass()
        assert outcome(seller) == undisturbed
