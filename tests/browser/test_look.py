"""How the pages look: names, sizes, paper."""

from collections.abc import Callable
from typing import Any

import pytest
from visiting import PAGES, sign_in, wait_until_checked

# A browser that goes on to the next page may leave a style sheet half read, and the test server then its file open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def page(filled: Any, tab: Callable[..., Any]) -> Any:
    page = tab(filled.url, filled.google.url, viewport={"width": 380, "height": 900})
    sign_in(page, filled)
    wait_until_checked(page)
    return page


def test_every_page_is_small_and_has_a_title_of_its_own(filled: Any, page: Any) -> None:
    titles: list[str] = []
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    for path in PAGES:
        sizes.clear()
        page.goto(filled.url + path)
        # Fifty buyers, each with a form for its note.
        assert sum(sizes) < (110_000 if path == "/blocks" else 60_000), path
        titles.append(page.title())
    assert len(set(titles)) == len(PAGES)
    assert all(title.endswith(" · buyerblock") for title in titles)


def test_the_labels_of_the_chart_can_be_read_on_a_telephone(page: Any) -> None:
    labels = page.locator(".chart span").all()
    assert len(labels) == 1 + 4
    for label in labels:
        assert float(label.evaluate("it => getComputedStyle(it).fontSize").removesuffix("px")) >= 12


def test_settings_are_no_long_column(filled: Any, page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    for path in (it for it in PAGES if it.startswith("/settings")):
        page.goto(filled.url + path)
        assert page.evaluate("document.documentElement.scrollHeight") < 1400, path


def test_a_printed_page_has_what_it_says_and_nothing_to_press(filled: Any, page: Any) -> None:
    page.emulate_media(media="print")
    for path in ("/", "/blocks", "/did-not-arrive"):
        page.goto(filled.url + path)
        assert page.locator("nav:visible, button:visible, form:visible, .button:visible").count() == 0, path
    page.goto(f"{filled.url}/blocks")
    assert page.locator("table:visible").count() == 1
