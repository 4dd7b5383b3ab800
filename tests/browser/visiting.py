"""What every visit to the page begins with, in a real browser."""

from typing import Any

OWNER = "seller@gmail.com"
PAGES = (
    "/",
    "/blocks",
    "/import",
    "/did-not-arrive",
    "/review",
    "/settings",
    "/settings/general",
    "/settings/people",
    "/settings/tokens",
    "/settings/copies",
    "/settings/gate",
    "/settings/notifications",
    "/settings/webhook",
    "/settings/backup",
    "/setup",
    f"/disconnect?account={OWNER}",
)


def sign_in(page: Any, site: Any) -> None:
    """Sign in by Google at the first visit to a site; later ones come with its cookies."""
    if site.cookies:
        page.context.add_cookies(site.cookies)
        page.goto(site.url)
        return
    page.goto(site.start_link())
    page.get_by_role("link", name="Sign in with Google").click()
    page.locator("button[value=allow]").click()
    page.wait_for_url(f"{site.url}/")
    site.cookies = page.context.cookies(site.url)


def wait_until_checked(page: Any) -> None:
    page.locator(".account.is-ok").wait_for(timeout=30_000)


def fits(page: Any, width: int) -> bool:
    """Return whether a page needs no more than this width, which it gets."""
    page.set_viewport_size({"width": width, "height": 900})
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
