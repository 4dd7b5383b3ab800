"""Hundreds of doubtful mails, decided about in a real browser."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from visiting import OWNER, fits, sign_in, wait_until_checked

from worker.block_list.review import ReviewItem, ReviewQuery
from worker.notices.doubts import Doubt, Reason

REASONS = (
    Reason(Doubt.GUESSED_WORDING),
    Reason(Doubt.FORWARDED_BY_STRANGER, "bob.from.the.warehouse@long-name-of-a-shop.example"),
    Reason(Doubt.DMARC_FAILED),
)

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def invented(number: int) -> ReviewItem:
    return ReviewItem(
        account=OWNER,
        gmail_id=f"f{number:x}",
        message_id=f"{number}@mail.example",
        received_at=datetime.now(UTC).replace(microsecond=0) - timedelta(hours=number),
        reason=REASONS[number % 3],
        subject=f"Your message to a buyer about order 902-{number:07d}-0000001 could not be delivered",
        sender="Amazon.co.uk <donotreply@amazon.co.uk>",
        address=None if number % 50 == 49 else f"invented{number:07d}@marketplace.amazon.co.uk",
        order_id=f"902-{number:07d}-0000001" if number % 50 == 49 else None,
    )


@pytest.fixture(scope="module")
def site(make_site: Callable[..., Any]) -> Any:
    """A site with a mailbox in which there are some doubtful mails."""
    site = make_site()
    site.deliver("suspect", 8)
    return site


@pytest.fixture
def review(site: Any, tab: Callable[..., Any]) -> Callable[..., Any]:
    """Return what opens Review with so many mails in it."""

    def opened(count: int, **looks: Any) -> Any:
        page = tab(site.url, site.google.url, **looks)
        sign_in(page, site)
        while not site.engine.accounts.get(OWNER).last_good_pass:
            page.wait_for_timeout(100)
        if count:
            site.engine.database.drop_table("review")
            site.engine.review.add(map(invented, range(count)))
        page.goto(f"{site.url}/review")
        return page

    return opened


def height(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollHeight"))


def test_six_hundred_mails_are_a_short_page_and_are_decided_about_by_few_clicks(
    site: Any, review: Callable[..., Any]
) -> None:
    page = review(600, viewport={"width": 1280, "height": 900})
    assert height(page) < 4000
    page.get_by_role("link", name="Show all 200").first.click()
    expect(page.get_by_text("Page 1 of 8")).to_be_visible()
    assert height(page) < 4000
    page.get_by_role("link", name="All groups").click()
    clicks = 2
    for group, press in (
        ("Probably genuine", "Block buyers"),
        ("Forwarded", "Dismiss"),
        ("Probably forged", "Dismiss"),
    ):
        section = page.get_by_role("region", name=group)
        section.get_by_label("Tick all 200").check()
        section.get_by_role("button", name=press, exact=True).last.click()
        expect(page.get_by_role("status")).to_contain_text(re.compile("200 (blocked|dismissed)"))
        clicks += 2
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert len(site.engine.review) == 0
    assert clicks < 20
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("200 mails wait again.")
    assert len(site.engine.review) == 200
    page.get_by_role("link", name="Blocked 200").click()
    page.get_by_label("Tick all 200").check()
    page.get_by_role("button", name="Take back", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("200 mails wait again.")
    assert len(site.engine.block_list) == 0


def test_what_is_unticked_again_is_not_decided_about(review: Callable[..., Any]) -> None:
    page = review(30)
    section = page.get_by_role("region", name="Probably forged")
    section.get_by_label("Tick all 10").check()
    assert section.locator("[name=item]:checked").count() == 6
    section.locator("[name=item]").first.uncheck()
    expect(section.get_by_label("Tick all 10")).not_to_be_checked()
    section.get_by_role("button", name="Dismiss", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("5 dismissed.")


def test_keys_go_through_the_list_and_decide(site: Any, review: Callable[..., Any]) -> None:
    page = review(30)
    expect(page.get_by_text("Keys: j and k")).to_be_visible()
    items = site.engine.review.items(ReviewQuery(doubts=frozenset({Doubt.GUESSED_WORDING})))
    for key in "jjjk":
        page.keyboard.press(key)
    with page.expect_navigation():  # to a page that is whole: one that still loads takes no keys
        page.keyboard.press("d")
    expect(page.get_by_role("status")).to_contain_text("1 dismissed.")
    assert site.engine.review.get(items[1].id).state == "dismissed"
    with page.expect_navigation():
        page.keyboard.press("b")  # of the mail that took its place
    expect(page.get_by_role("status")).to_contain_text("1 blocked.")
    assert site.engine.review.get(items[2].id).state == "blocked"
    page.get_by_label("Search for a subject").press_sequentially("bd")
    assert len(site.engine.review) == 28


def test_everything_works_without_javascript(site: Any, review: Callable[..., Any]) -> None:
    page = review(30, java_script_enabled=False)
    expect(page.get_by_text("Keys: j and k")).to_be_hidden()
    section = page.get_by_role("region", name="Forwarded")
    section.get_by_label("Tick all 10").check()
    section.get_by_role("button", name="Dismiss", exact=True).last.click()
    expect(page.get_by_role("status")).to_contain_text("10 dismissed.")
    page.get_by_role("link", name="Dismissed 10").click()
    page.get_by_role("button", name="Take back the decision").first.click()
    expect(page.get_by_role("status")).to_contain_text("1 mail waits again.")
    page.goto(f"{site.url}/review?q=902-0000003&group=genuine")
    assert page.locator("[data-row]").count() == 1


def test_the_text_of_a_mail_is_read_from_gmail_and_shown_as_text_alone(
    site: Any, tab: Callable[..., Any]
) -> None:
    page = tab(site.url, site.google.url)
    sign_in(page, site)
    wait_until_checked(page)
    site.engine.database.drop_table("review")
    real = next(iter(site.google.mailbox(OWNER)))
    site.engine.review.add([replace(invented(0), gmail_id=real)])
    page.goto(f"{site.url}/review")
    page.get_by_role("link", name="Read “").click()
    shown = page.get_by_role("region", name="Text of the mail")
    expect(shown).to_contain_text(re.compile(r"\w{3}"))
    assert shown.locator("*").count() == 0
    page.get_by_role("link", name="Read “").click()
    expect(shown).to_have_count(0)
    page.goto(site.url + page.get_by_role("link", name="Read “").get_attribute("href"))
    expect(shown).to_contain_text(re.compile(r"\w{3}"))
    page.get_by_role("link", name="Back to Review").click()
    expect(page.get_by_role("heading", name="Review")).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_review_is_accessible_and_fits(
    review: Callable[..., Any], site: Any, width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = review(40, **looks)
    some = site.engine.review.items(limit=4)
    site.engine.review.decide([it.id for it in some[:2]], "dismissed")
    site.engine.review.decide([it.id for it in some[2:]], "blocked")
    found = {}
    for query in (
        "",
        "?group=forwarded",
        "?state=dismissed",
        "?state=blocked",
        "?q=nothing",
        f"/text?item={some[0].id}",
    ):
        page.goto(f"{site.url}/review{query}")
        found[query] = [it["id"] for it in axe.run(page).response["violations"]]
        assert fits(page, 768) and fits(page, width), f"{query} is too wide"  # noqa: PT018 - of two widths
    assert {query: ids for query, ids in found.items() if ids} == {}
