"""One job an account: when it runs, and what ends it."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from clocks import FakeClock
from sellers import EMAIL, running, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from signing_in import sign_in
from worker.app import App, build_app
from worker.errors import SignInAgainError, TransientError
from worker.mailbox_pass import scheduler
from worker.mailbox_pass.progress import Watch
from worker.owner.preferences import change_preferences
from worker.problems import Cause

OTHER = "other@gmail.com"
NOTICE = "opt_out/it_specimen_shape.eml"


@pytest.fixture
def google() -> Iterator[Sandbox]:
    with Sandbox() as google:
        google.add_user(EMAIL)
        google.add_user(OTHER)
        yield google


@pytest.fixture
def app(google: Sandbox, tmp_path: Path) -> Iterator[App]:
    with running(google, tmp_path, EMAIL, OTHER) as app:
        yield app


def run_until_passes_end(app: App, number: int) -> None:
    """Start the scheduler and wait until so many passes have ended, well or not."""
    ended = threading.Semaphore(0)
    run = app.scheduler._run

    def counted(email: str) -> None:
        run(email)
        ended.release()

    app.scheduler._run = counted  # type: ignore[method-assign]
    app.scheduler.start()
    for _ in range(number):
        assert ended.acquire(timeout=30)


def test_the_first_pass_of_every_account_starts_at_once(app: App, google: Sandbox) -> None:
    google.deliver(EMAIL, sample(NOTICE))
    run_until_passes_end(app, 2)
    app.scheduler.stop()
    assert len(app.block_list) == 1
    assert all(account.last_good_pass and account.next_pass for account in app.accounts.all())


def test_a_dead_sign_in_ends_that_accounts_job_and_no_other(app: App, google: Sandbox) -> None:
    google.user(EMAIL).revoke()
    asked: list[str] = []
    google.fault = lambda _number, method, _email: asked.append(method) if method == "oauth.token" else None
    run_until_passes_end(app, 2)
    jobs = {job.id for job in app.scheduler._scheduler.get_jobs()}
    app.scheduler.stop()
    assert jobs == {OTHER}
    assert asked.count("oauth.token") == 2, "one for each account, and no second try for the dead one"
    dead, well = app.accounts.get(EMAIL), app.accounts.get(OTHER)
    assert (dead.state, dead.next_pass) == ("sign_in_again", None)
    assert "sign in again" in str(dead.problem)
    assert (well.state, well.problem) == ("ok", None)


def test_a_sign_in_that_google_ended_after_seven_days_is_explained(clock: FakeClock, tmp_path: Path) -> None:
    with Sandbox(clock=clock) as google, running(google, tmp_path, clock=clock) as app:
        google.add_user(EMAIL)
        google.world.grants.testing = True
        app.connect(sign_in(google, tmp_path, EMAIL))
        app.passes.run(EMAIL)
        clock.advance(timedelta(days=7, hours=1).total_seconds())
        with pytest.raises(SignInAgainError):
            app.passes.run(EMAIL)
        assert "Publish app" in str(app.accounts.get(EMAIL).problem)
        google.world.grants.testing = False
        app.connect(sign_in(google, tmp_path, EMAIL))
        assert app.accounts.get(EMAIL).sign_in_ends is None


def test_a_new_sign_in_brings_the_job_back(app: App, google: Sandbox, tmp_path: Path) -> None:
    google.user(EMAIL).revoke()
    run_until_passes_end(app, 2)
    app.connect(sign_in(google, tmp_path, EMAIL))
    jobs = {job.id for job in app.scheduler._scheduler.get_jobs()}
    app.scheduler.stop()
    assert jobs == {EMAIL, OTHER}
    assert app.accounts.get(EMAIL).state == "ok"


def test_one_start_with_a_wrong_secret_key_costs_no_sign_in(app: App) -> None:
    wrong, right = (build_app(replace(app.settings, secret_key=it * 32)) for it in ("x", "k"))
    run_until_passes_end(wrong, 2)
    wrong.scheduler.stop()
    account = app.accounts.get(EMAIL)
    assert account.state == "sign_in_again"
    assert "BUYERBLOCK_SECRET_KEY" in str(account.problem)
    run_until_passes_end(right, 2)
    right.scheduler.stop()
    assert (app.accounts.get(EMAIL).state, app.accounts.get(EMAIL).problem) == ("ok", None)
    for it in (wrong, right):
        it.close()


def test_accounts_that_wait_for_a_sign_in_get_no_job(app: App) -> None:
    app.accounts.update(EMAIL, state="sign_in_again")
    run_until_passes_end(app, 1)
    jobs = {job.id for job in app.scheduler._scheduler.get_jobs()}
    app.scheduler.stop()
    assert OTHER in jobs


def test_a_problem_is_told_and_the_next_pass_comes_all_the_same(app: App, google: Sandbox) -> None:
    google.world.api_enabled = False
    run_until_passes_end(app, 2)
    app.scheduler.stop()
    account = app.accounts.get(EMAIL)
    assert account.state == "problem"
    assert "enable it" in str(account.problem)
    assert account.next_pass is not None


def test_an_unforeseen_failure_ends_the_pass_and_not_the_program(
    app: App, google: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("nobody foresaw this")

    google.deliver(EMAIL, sample(NOTICE))
    monkeypatch.setattr(app.block_list, "record", fail)
    run_until_passes_end(app, 2)
    app.scheduler.stop()
    assert (app.accounts.get(EMAIL).state, app.accounts.get(OTHER).state) == ("problem", "ok")
    assert app.accounts.get(EMAIL).next_pass is not None
    assert "nobody foresaw this" in caplog.text
    assert app.passes.counted()["passes", "problem"] == 1


def test_an_interval_that_the_owner_sets_holds_at_once(app: App) -> None:
    run_until_passes_end(app, 2)
    change_preferences(app.database, lambda it: replace(it, sync_interval=900))
    app.jobs.restart()
    jobs = app.scheduler._scheduler.get_jobs()
    app.scheduler.stop()
    assert [job.trigger.interval for job in jobs] == [timedelta(minutes=15)] * 2


def test_a_stop_in_mid_pass_leaves_the_rest_for_the_next_start(app: App, google: Sandbox) -> None:
    for _ in range(3):
        google.deliver(EMAIL, sample(NOTICE))
    reading = threading.Event()

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        if method not in {"messages.get", "threads.get"}:
            return None
        reading.set()
        return Fault(status=503)

    google.fault = fault
    app.scheduler.start()
    assert reading.wait(30)
    app.scheduler.stop()
    google.fault = None
    assert len(app.block_list) == 0
    assert app.accounts.get(EMAIL).state == "ok"


def test_an_account_that_a_command_disconnected_loses_its_job(app: App) -> None:
    app.scheduler.start()
    app.accounts.remove(EMAIL)
    app.scheduler.add(EMAIL)
    pause = threading.Event()
    for _ in range(1000):
        if EMAIL not in {job.id for job in app.scheduler._scheduler.get_jobs()}:
            break
        pause.wait(0.02)
    else:
        pytest.fail("the job is still there")
    app.scheduler.stop()


@pytest.mark.parametrize(("undo", "refused"), [(True, "labels.list"), (False, "oauth.revoke")])
def test_a_disconnection_that_failed_leaves_the_account_its_job(
    app: App, google: Sandbox, undo: bool, refused: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_until_passes_end(app, 2)
    google.fault = lambda _number, method, _email: Fault(status=503) if method == refused else None
    monkeypatch.setattr(app.clock, "pause", lambda _seconds: None)
    with pytest.raises(TransientError):
        app.disconnect(EMAIL, undo=undo)
    jobs = {job.id for job in app.scheduler._scheduler.get_jobs()}
    app.scheduler.stop()
    assert jobs == {EMAIL, OTHER}


def test_a_failed_disconnection_of_an_account_that_waits_for_a_sign_in_gives_it_no_job(
    app: App, google: Sandbox
) -> None:
    run_until_passes_end(app, 2)
    app.accounts.update(EMAIL, state="sign_in_again")
    google.fault = lambda _number, method, _email: Fault(status=503) if method == "oauth.revoke" else None
    with pytest.raises(TransientError):
        app.disconnect(EMAIL)
    jobs = {job.id for job in app.scheduler._scheduler.get_jobs()}
    app.scheduler.stop()
    assert jobs == {OTHER}


def test_it_stops_while_a_pass_takes_its_own_job_away(app: App) -> None:
    begun = threading.Event()

    def refused_while_stopping(_email: str, _watch: Watch) -> None:
        begun.set()
        while app.scheduler._scheduler.running:
            begun.wait(0.01)
        raise SignInAgainError(Cause.SIGN_IN_ENDED)

    app.passes.run = refused_while_stopping  # type: ignore[method-assign,assignment]
    app.scheduler.start()
    assert begun.wait(30)
    stopping = threading.Thread(target=app.scheduler.stop, daemon=True)
    stopping.start()
    stopping.join(30)
    assert not stopping.is_alive()


def test_a_pass_asked_for_during_another_follows_it_at_once(app: App) -> None:
    change_preferences(app.database, lambda it: replace(it, sync_interval=86_400))
    passes, goes_on = threading.Semaphore(0), threading.Event()

    def slow(_email: str, _watch: Watch) -> None:
        passes.release()
        assert goes_on.wait(30)

    app.passes.run = slow  # type: ignore[method-assign,assignment]
    app.scheduler.start()
    for _ in range(2):
        assert passes.acquire(timeout=30)
    skipped = threading.Event()
    app.scheduler._scheduler.add_listener(lambda _: skipped.set(), EVENT_JOB_MAX_INSTANCES)
    app.settings_changed(EMAIL)
    assert skipped.wait(30)
    goes_on.set()
    assert passes.acquire(timeout=30)
    app.scheduler.stop()


def test_passes_of_more_mailboxes_than_have_threads_keep_no_task_waiting(
    google: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog is such a task: while it waited, systemd would end the program."""
    monkeypatch.setattr(scheduler, "PASSES_AT_ONCE", 2)
    emails = [f"seller{number}@gmail.com" for number in range(4)]
    for email in emails:
        google.add_user(email)
    held, goes_on, alive = threading.Semaphore(0), threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        held.release()
        assert goes_on.wait(30)

    with running(google, tmp_path, *emails) as app:
        google.fault = lambda *_: Fault(before=hold)
        app.scheduler.start()
        for _ in range(2):
            assert held.acquire(timeout=30)
        for number in range(scheduler.TASKS_AT_ONCE):
            app.scheduler.every(timedelta(seconds=0.01), str(number), alive.release)
        for _ in range(3 * scheduler.TASKS_AT_ONCE):
            assert alive.acquire(timeout=30)
        assert sum(map(app.scheduler.waits_for_thread, emails)) == 2
        google.fault = None
        goes_on.set()
        app.scheduler.stop()


def test_a_long_pass_gives_its_thread_to_a_mailbox_that_waits(
    clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "PASSES_AT_ONCE", 1)
    last = "waits@gmail.com"  # in the order of the alphabet
    with Sandbox(clock=clock) as google:
        for email in (EMAIL, last):
            google.add_user(email)
        for _ in range(150):
            google.deliver(EMAIL, sample(NOTICE))
        with running(google, tmp_path, EMAIL, last, clock=clock) as app:
            google.latency = 60.0  # seconds, so that the first fifty mails take longer than a turn
            asked: list[str] = []
            google.fault = lambda _number, _method, email: asked.append(email)
            run_until_passes_end(app, 3)
            app.scheduler.stop()
            turns = [email for number, email in enumerate(asked) if number == 0 or asked[number - 1] != email]
            assert turns[:3] == [EMAIL, last, EMAIL]
            assert app.accounts.get(EMAIL).last_good_pass, "it went on at once, not after an interval"
