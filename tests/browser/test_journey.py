"""A seller's way through the page, in a real browser."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from visiting import OWNER, PAGES, sign_in, wait_until_checked

from worker.operation.backup import backup
from worker.operation.restore import restore

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".screenshots"

# A browser that goes on to the next page may leave a style sheet half read, and the test server then its file open.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_from_a_fresh_start_to_a_filled_list(make_site: Callable[..., Any], tab: Callable[..., Any]) -> None:
    site = make_site(client_file=False)
    site.deliver("opt_out", 110)
    site.deliver("unrelated", 60)
    site.google.latency = 0.1  # long enough to be watched
    page = tab(site.url, site.google.url)
    page.goto(site.start_link())
    expect(page).to_have_url(f"{site.url}/setup")
    page.get_by_label("Or paste its content").fill("not a client file")
    page.get_by_role("button", name="Check and continue").click()
    expect(page.get_by_role("alert")).to_contain_text("is not JSON")
    page.get_by_label("The downloaded file").set_input_files(
        {"name": "client.json", "mimeType": "application/json", "buffer": site.client}
    )
    page.get_by_role("button", name="Check and continue").click()
    sign_in(page, site)
    page.get_by_text(re.compile(r"Reading notices: \d+ of \d+, \d+ opt-outs found")).wait_for(timeout=30_000)
    wait_until_checked(page)
    assert len(site.engine.block_list) > 50
    expect(page.locator(".total strong")).to_have_text(str(len(site.engine.block_list)))


def test_search_finds_while_typing_and_an_unblocking_is_undone(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    wait_until_checked(page)
    address = next(block.address for block in filled.engine.block_list.blocks() if block.address)
    page.get_by_role("link", name="Block list").click()
    page.get_by_label("Search for an address").press_sequentially(address[:9])
    page.get_by_text("1 buyer", exact=True).wait_for()
    expect(page).to_have_url(re.compile(f"q={address[:9]}"))
    page.get_by_role("link", name=address, exact=True).click()
    page.get_by_role("button", name="Unblock").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert filled.engine.block_list.get(address) is None
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("1 buyer is blocked again")
    assert filled.engine.block_list.get(address) is not None


def test_the_list_works_without_javascript(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url, java_script_enabled=False)
    sign_in(page, filled)
    page.goto(f"{filled.url}/blocks")
    page.get_by_label("Search for an address").fill("no such buyer")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()


def test_a_bulk_import_shows_its_errors_before_it_blocks(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    page.goto(f"{filled.url}/import")
    page.get_by_label("Paste addresses").fill("999-1111111-1111111\nnonsense\n")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("table")).to_contain_text("is not a key")
    assert filled.engine.block_list.get("999-1111111-1111111") is None
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert filled.engine.block_list.get("999-1111111-1111111") is not None
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("taken back")
    assert filled.engine.block_list.get("999-1111111-1111111") is None


def test_review_and_settings(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    wait_until_checked(page)
    before = len(filled.engine.review.items())
    page.goto(f"{filled.url}/review")
    page.get_by_role("button", name="Dismiss “").first.click()
    expect(page.get_by_role("status")).to_be_visible()
    assert len(filled.engine.review.items()) == before - 1
    page.goto(f"{filled.url}/settings")
    page.get_by_label("Trusted forwarders").fill("colleague@example.net")
    page.get_by_role("button", name="Save").nth(1).click()
    expect(page.get_by_role("status")).to_be_visible()
    assert filled.engine.accounts.get(OWNER).trusted == ("colleague@example.net",)


def test_a_token_is_made_copied_and_revoked(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    page.goto(f"{filled.url}/settings/tokens")
    page.get_by_label("Name of the program").fill("mailing tool")
    page.get_by_role("button", name="Make a token").click()
    shown = page.locator("#secret").inner_text()
    assert shown.startswith("Authorization: Bearer buyerblock_")
    page.get_by_role("link", name="Back to the settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    assert shown.split()[-1] not in page.content()
    page.get_by_role("button", name="Revoke the token for mailing tool").click()
    expect(page.get_by_role("status")).to_contain_text("is revoked")


def test_a_webhook_is_set_and_removed(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    page.goto(f"{filled.url}/settings/webhook")
    page.get_by_label("Address (https)").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator("#secret")).to_have_text(re.compile("^whsec_"))
    page.get_by_role("link", name="Back to the settings").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("status")).to_contain_text("The test was not taken: 127.0.0.1 cannot be reached")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("status")).to_contain_text("The webhook is removed")


def test_a_backup_is_downloaded(filled: Any, tab: Callable[..., Any], tmp_path: Path) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    wait_until_checked(page)
    page.goto(f"{filled.url}/settings/backup")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download a backup").click()
    assert download.value.suggested_filename.endswith(".backup")
    download.value.save_as(tmp_path / "copy")
    restored = restore(tmp_path / "copy", tmp_path / "new")
    assert restored.blocks == len(filled.engine.block_list)


def test_a_backup_is_restored(make_site: Callable[..., Any], tab: Callable[..., Any], tmp_path: Path) -> None:
    site = make_site()
    site.deliver("opt_out", 3)
    page = tab(site.url, site.google.url)
    sign_in(page, site)
    wait_until_checked(page)
    backup(site.engine.settings.data_dir, tmp_path / "copy", "staple of invented words")
    page.goto(f"{site.url}/settings/backup")
    page.get_by_text("Restore a backup").click()
    page.get_by_label("Backup file").set_input_files(tmp_path / "copy")
    page.get_by_label("Its passphrase").fill("not these words")
    page.get_by_label("Replace the current block list").check()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("alert")).to_contain_text("the passphrase is wrong")
    assert site.restarts == []
    page.go_back()
    page.get_by_text("Restore a backup").click()
    page.get_by_label("Backup file").set_input_files(tmp_path / "copy")
    page.get_by_label("Its passphrase").fill("staple of invented words")
    page.get_by_label("Replace the current block list").check()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("Buyers on its block list: 3; accounts: 1.")).to_be_visible()
    assert site.restarts == ["restart"]


def test_the_keyboard_alone_is_enough(filled: Any, tab: Callable[..., Any]) -> None:
    page = tab(filled.url, filled.google.url)
    sign_in(page, filled)
    page.goto(f"{filled.url}/blocks")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.hash") == "#downloads"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_every_page_is_accessible_and_fits(
    filled: Any, tab: Callable[..., Any], width: int, scheme: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    # Without motion: a colour that is caught on its way to another has no contrast that one could judge.
    looks = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = tab(filled.url, filled.google.url, **looks)
    page.goto(filled.url)
    found = {"sign-in": [it["id"] for it in axe.run(page).response["violations"]]}
    sign_in(page, filled)
    wait_until_checked(page)
    story = next(filled.engine.block_list.blocks()).key
    secrets = {
        "/settings/tokens": ("Name of the program", f"tool {width} {scheme}", "Make a token"),
        "/settings/webhook": ("Address (https)", "https://shop.example/hook", "Set"),
    }
    for path in (*secrets, *PAGES, f"/block?key={story}", "/nothing"):
        page.goto(filled.url + path)
        if path in secrets and path not in found:
            field, value, button = secrets[path]
            page.get_by_label(field).fill(value)
            page.get_by_role("button", name=button, exact=True).click()
            page.wait_for_load_state()  # a press of a button does not wait for the style sheet
        page.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)")
        found.setdefault(path, []).extend(it["id"] for it in axe.run(page).response["violations"])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
    page.goto(f"{filled.url}/settings/webhook")
    page.get_by_role("button", name="Remove").click()
    assert {path: ids for path, ids in found.items() if ids} == {}


def test_the_documents_have_pictures_of_the_pages(
    filled: Any, tab: Callable[..., Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = PICTURES if request.config.getoption("--screenshots") else tmp_path
    page = tab(filled.url, filled.google.url, viewport={"width": 1000, "height": 700}, color_scheme="light")
    sign_in(page, filled)
    wait_until_checked(page)
    for name, path in (("home", "/"), ("list", "/blocks"), ("review", "/review")):
        page.goto(filled.url + path)
        picture = page.screenshot(path=folder / f"{name}.png")
        assert len(picture) < 150_000, "pictures in the repository are kept small"
    shown = "".join(
        it.read_text(encoding="utf-8") for it in (ROOT / "README.md", *ROOT.glob("oauth_web/help/*"))
    )
    assert all(picture.name in shown for picture in folder.glob("*.png"))


def test_disconnecting_with_undo_leaves_the_mailbox_as_it_was(
    make_site: Callable[..., Any], tab: Callable[..., Any]
) -> None:
    site = make_site()
    site.deliver("opt_out", 3)
    page = tab(site.url, site.google.url)
    sign_in(page, site)
    wait_until_checked(page)
    page.get_by_role("link", name=f"Disconnect {OWNER}").click()
    days = page.get_by_label("Notices of how many days")
    expect(days).to_be_hidden()
    page.get_by_label("Also remove its labels").check()
    days.fill("7")
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_text("is disconnected").wait_for()
    assert site.google.user(OWNER).filters() == []
    assert site.engine.accounts.all() == []
    assert len(site.engine.block_list) == 3
