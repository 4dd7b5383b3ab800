"""Several people at one page, in a real browser: a second owner, a reader, and a mailbox that was not meant."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect
from visiting import OWNER, fits, sign_in

OTHER = "other@gmail.com"
READER = "reader@gmail.com"

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Any]) -> Any:
    made = make_site()
    made.deliver("opt_out", 5)
    for email in (OTHER, READER):
        made.google.add_user(email)
    return made


def agree(site: Any, page: Any, email: str) -> None:
    page.locator(f"input[type=radio][value='{email}']").check()
    page.locator("button[value=allow]").click()
    page.wait_for_url(lambda url: not url.startswith(site.google.url))


def test_a_link_to_a_page_survives_the_sign_in(site: Any, tab: Callable[..., Any]) -> None:
    sign_in(tab(site.url, site.google.url), site)
    visitor = tab(site.url, site.google.url)
    visitor.goto(f"{site.url}/blocks?q=nobody")
    visitor.get_by_role("link", name="Sign in with Google").click()
    agree(site, visitor, OWNER)
    expect(visitor).to_have_url(f"{site.url}/blocks?q=nobody")
    expect(visitor.get_by_text("Nothing matches")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_people_are_let_in_and_a_mailbox_is_asked_about(
    site: Any,
    tab: Callable[..., Any],
    width: int,
    scheme: str,
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    owner, reader = tab(site.url, site.google.url, **looks), tab(site.url, site.google.url, **looks)

    def looked_at(page: Any, name: str) -> None:
        assert axe.run(page).response["violations"] == [], name
        assert fits(page, 768) and fits(page, width), f"{name} is too wide"  # noqa: PT018 - of two widths

    sign_in(owner, site)
    owner.goto(f"{site.url}/settings/people")
    owner.get_by_label("Google address").fill(READER)
    owner.get_by_role("button", name="Let in").click()
    expect(owner.get_by_role("status")).to_contain_text(f"{READER} may enter")
    looked_at(owner, "list")
    reader.goto(site.url)
    looked_at(reader, "way-in")
    reader.get_by_role("link", name="Sign in without a mailbox").click()
    agree(site, reader, READER)
    expect(reader.get_by_text("You may only read")).to_be_visible()
    looked_at(reader, "reader-home")
    for path in (
        "/",
        "/blocks",
        "/settings",
        "/settings/general",
        "/settings/webhook",
        "/review",
        f"/disconnect?account={OWNER}",
    ):
        reader.goto(site.url + path)
        expect(reader.locator("main form[method=post] button").locator("visible=true")).to_have_count(0)
        looked_at(reader, f"reader{path.split('?')[0].replace('/', '-')}")
    owner.goto(f"{site.url}/sign-in?account={OWNER}")
    agree(site, owner, OTHER)
    expect(owner.get_by_role("heading", name=f"Connect {OTHER}?")).to_be_visible()
    looked_at(owner, "question")
    owner.get_by_role("button", name="Do not connect it").click()
    expect(owner.get_by_role("status")).to_contain_text("was not connected")
    owner.goto(f"{site.url}/settings/people")
    owner.get_by_role("button", name=f"Remove {READER}").click()
    reader.reload()
    expect(reader.get_by_role("heading", name="Sign in")).to_be_visible()
