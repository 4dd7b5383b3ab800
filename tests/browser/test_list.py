"""The block list in a real browser: ticks, notes, the way back, rejected forms."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from visiting import fits, sign_in, wait_until_checked


@pytest.fixture(scope="module")
def listed(make_site: Callable[..., Any]) -> Any:
    """Return a page with a list."""
    site = make_site()
    site.deliver("opt_out", 12)
    return site


def test_the_list_is_used_from_end_to_end(listed: Any, tab: Callable[..., Any]) -> None:
    page = tab(listed.url, listed.google.url, viewport={"width": 1280, "height": 900})
    sign_in(page, listed)
    wait_until_checked(page)
    page.goto(f"{listed.url}/blocks?sort=last_seen")
    for width in (380, 768, 900, 1280):
        assert fits(page, width)
    page.get_by_role("link", name="Block a buyer").click()
    expect(page.locator("#keys")).to_be_focused()
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    page.wait_for_selector('[aria-invalid="true"]')
    expect(page.locator("#keys")).to_be_focused()
    assert page.input_value("#keys") == "nonsense"
    page.goto(f"{listed.url}/blocks?q=marketplace&sort=key")
    page.locator("td.main a").first.click()
    page.get_by_role("link", name="Back to the list").click()
    page.wait_for_url(f"{listed.url}/blocks?q=marketplace&sort=key")
    boxes = page.locator("tbody td.tick input")
    page.get_by_label("Tick all buyers on this page").check()
    assert all(box.is_checked() for box in boxes.all())
    page.get_by_label("Tick all buyers on this page").uncheck()
    boxes.nth(0).check()
    boxes.nth(1).check()
    page.get_by_role("button", name="Unblock ticked").click()
    page.get_by_text("2 buyers are unblocked").wait_for()
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("2 buyers are blocked again").wait_for()
    page.get_by_role("link", name="Edit the note about").nth(1).click()
    expect(page.locator("#edit")).to_be_focused()
    page.keyboard.type("asked by phone")
    page.keyboard.press("Enter")
    page.get_by_text("The note about").wait_for()
    expect(page.locator("td.loose", has_text="asked by phone")).to_have_count(1)
