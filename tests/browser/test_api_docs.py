"""The description of the API as a page: in a real browser, under the page's own rules."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_a_stranger_reads_what_the_api_can_do(
    make_site: Callable[..., Any], tab: Callable[..., Any], width: int, scheme: str
) -> None:
    site = make_site()
    page = tab(site.url, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(f"{site.url}/api/docs")
    call = page.get_by_role("button", name="Say whether buyers are blocked")
    expect(call).to_be_visible()
    call.click()
    expect(page.get_by_text("406-1234508-7654301").first).to_be_visible()
    assert page.get_by_role("button", name="Try it out").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.get_by_role("button", name="Authorize").is_hidden()
