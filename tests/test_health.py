"""When buyerblock is ready, and the sentences it gives when it is not."""

import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from worker.app import App, build_app
from worker.gmail.credentials import Grant
from worker.operation.health import LEAST_FREE, Health, health
from worker.operation.metrics import Family, metrics, render
from worker.settings import Settings

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.com"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
WELL = Health(ready=True, reasons=())


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An app over an empty directory with one account that had a good pass a minute ago."""
    settings = Settings(data_dir=tmp_path, client_secrets=tmp_path / "client.json", secret_key="k" * 32)
    app = build_app(settings)
    app.accounts.connect(EMAIL, GRANT, now=NOW - timedelta(days=30))
    app.accounts.update(EMAIL, last_good_pass=NOW - timedelta(minutes=1))
    with closing(app.passes):
        yield app


def reason(app: App, now: datetime = NOW) -> str:
    """Return the one reason that there is."""
    found = health(app, now)
    assert not found.ready
    assert len(found.reasons) == 1
    return found.reasons[0]


def test_all_is_well(app: App, tmp_path: Path) -> None:
    before = sorted(it.name for it in tmp_path.iterdir())
    assert health(app, NOW) == WELL
    assert sorted(it.name for it in tmp_path.iterdir()) == before


def test_a_program_that_nobody_has_signed_in_to_yet_is_ready(app: App) -> None:
    app.accounts.remove(EMAIL)
    assert health(app, NOW) == WELL


def test_a_dead_sign_in_is_a_reason(app: App) -> None:
    app.accounts.update(EMAIL, state="sign_in_again", problem="Please sign in again.", last_good_pass=None)
    assert reason(app) == f"{EMAIL}: Please sign in again."


def test_a_problem_that_costs_no_notice_is_none(app: App) -> None:
    app.accounts.update(EMAIL, state="problem", problem="Confirm the forwarding address.")
    assert health(app, NOW) == WELL


@pytest.mark.parametrize(("minutes", "late"), [(17, False), (18, False), (19, True)])
def test_passes_that_stopped_are_a_reason(app: App, minutes: int, *, late: bool) -> None:
    app.accounts.update(
        EMAIL,
        state="problem",
        problem="Google could not be reached.",
        last_good_pass=NOW - timedelta(minutes=minutes),
    )
    assert health(app, NOW).ready != late
    if late:
        assert reason(app) == (
            f"{EMAIL}: The last good pass began on 2026-11-23 at 09:41 UTC. Google could not be reached."
        )


def test_an_account_that_never_had_a_good_pass_is_late_by_its_connection(app: App) -> None:
    app.accounts.update(EMAIL, last_good_pass=None)
    assert reason(app) == f"{EMAIL}: No pass has come to its end yet."


def test_a_clock_that_was_set_back_is_no_reason(app: App) -> None:
    assert health(app, NOW - timedelta(days=400)) == WELL


def test_a_nearly_full_disk_is_a_reason(app: App) -> None:
    assert health(app, NOW, free=lambda _: LEAST_FREE) == WELL
    found = health(app, NOW, free=lambda _: 53_000_000)
    assert "nearly full: 53 MB are left" in found.reasons[0]


@pytest.mark.skipif(sys.platform == "win32", reason="A folder in use cannot be renamed on Windows.")
def test_a_data_directory_that_is_gone_is_a_reason(app: App, tmp_path: Path) -> None:
    folder = tmp_path.rename(tmp_path.with_name("elsewhere"))
    try:
        assert health(app, NOW).reasons[0].startswith(f"Nothing can be written to {tmp_path}: ")
    finally:
        folder.rename(tmp_path)


@pytest.mark.parametrize("name", ["blocks.json", "review.json", "accounts.json", "preferences.json"])
def test_a_damaged_file_is_a_reason(app: App, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"garbage")
    assert "damaged" in reason(app)


# --- for Prometheus


def samples(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_numbers_are_those_of_the_list_and_the_accounts(app: App) -> None:
    app.block_list.block(["w0455ph9mvtwg42@marketplace.amazon.it"], by="test")
    app.accounts.update(EMAIL, queued=3)
    found = samples(metrics(app, NOW))

    assert found.pop("buyerblock_disk_free_bytes") > 0
    assert found == {
        "buyerblock_ready": 1,
        "buyerblock_blocks": 1,
        "buyerblock_review": 0,
        "buyerblock_sync_interval_seconds": 60,
        'buyerblock_signed_in{account="seller@gmail.com"}': 1,
        'buyerblock_account_ok{account="seller@gmail.com"}': 1,
        'buyerblock_queued{account="seller@gmail.com"}': 3,
        'buyerblock_last_good_pass_age_seconds{account="seller@gmail.com"}': 60,
    }


def test_a_dead_sign_in_shows(app: App) -> None:
    app.accounts.update(EMAIL, state="sign_in_again", last_good_pass=None)
    found = samples(metrics(app, NOW))
    assert found["buyerblock_ready"] == 0
    assert found['buyerblock_signed_in{account="seller@gmail.com"}'] == 0
    assert not [it for it in found if "last_good_pass" in it]


def test_a_list_that_cannot_be_read_leaves_numbers_out_and_invents_none(app: App, tmp_path: Path) -> None:
    (tmp_path / "blocks.json").write_bytes(b"garbage")
    found = samples(metrics(app, NOW))
    assert found["buyerblock_ready"] == 0
    assert "buyerblock_blocks" not in found


def test_what_the_process_counted_is_shown_too(app: App) -> None:
    counted = Family(
        "buyerblock_passes_total", "counter", "Passes.", {(("outcome", "good"),): 12_345_678_901}
    )
    assert metrics(app, NOW, [counted]).endswith('\nbuyerblock_passes_total{outcome="good"} 12345678901\n')


def test_the_text_format_is_that_of_prometheus() -> None:
    family = Family("x_total", "counter", "One\\two\nthree.", {(("a", 'q"\\\n'), ("b", "é")): 0.5, (): 2})
    assert render([family, Family("empty", "gauge", "Nothing.", {})]) == (
        "# HELP x_total One\\\\two\\nthree.\n"
        "# TYPE x_total counter\n"
        'x_total{a="q\\"\\\\\\n",b="é"} 0.5\n'
        "x_total 2\n"
    )
