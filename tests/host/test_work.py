"""The jobs of a host, one by one: what a look costs, when it begins a pass, and what is put in line."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sellers import sample

from hosting import alias, notice
from oauth_web.demo.sandbox import Fault, Sandbox
from signing_in import sign_in
from worker.host.tally import tallies
from worker.host.tenants import Tenants
from worker.host.work import MAX_FAILURES, Work
from worker.operation.alerts import LOOKS
from worker.operation.health import health
from worker.owner.accounts import Account
from worker.webhook import Announcements, Webhook

pytestmark = pytest.mark.postgres
EMAIL = "seller@gmail.com"


@pytest.fixture
def tenant(tenants: Tenants, google: Sandbox, tmp_path: Path) -> int:
    """A seller whose mailbox is connected."""
    tenant = tenants.add("ann@gmail.com")
    tenants.app(tenant).connect(sign_in(google, tmp_path, EMAIL))
    return tenant


@pytest.fixture
def work(tenants: Tenants) -> Work:
    return Work(tenants)


def in_line(tenants: Tenants) -> list[tuple[str, dict[str, Any]]]:
    """Return the jobs that wait, and take them away."""
    sql = b"DELETE FROM procrastinate_jobs RETURNING task_name, args"
    rows = tenants.pool.run(lambda connection: connection.execute(sql).fetchall())
    return [(task, arguments) for task, arguments in rows]


def run_all(tenants: Tenants, work: Work) -> list[str]:
    """Plan, and do what is in line until nothing is; return the names of the jobs."""
    done = []
    tasks: dict[str, Callable[..., None]] = {
        "look": work.look,
        "pass": work.run_pass,
        "file": work.file,
        "tend": work.tend,
        "send": work.send,
    }
    work.plan()
    while waiting := in_line(tenants):
        for task, arguments in waiting:
            tasks[task](**arguments)
            done.append(task)
    return done


def make_due(tenants: Tenants, email: str = EMAIL) -> None:
    tenants.looks.make_due([email])


def problems(tenants: Tenants, tenant: int) -> list[str]:
    app = tenants.app(tenant)
    return [it.kind for it in health(app, app.clock.now()).problems]


def account(tenants: Tenants, tenant: int) -> Account:
    return tenants.app(tenant).accounts.get(EMAIL)


def test_the_first_look_begins_a_pass_and_an_idle_one_is_a_single_call(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    google.deliver(EMAIL, notice(1))
    assert Counter(run_all(tenants, work)) == {"look": 1, "pass": 1, "tend": 1}
    assert [it.key for it in tenants.app(tenant).block_list.blocks()] == [alias(1)]
    make_due(tenants)
    run_all(tenants, work)  # gets an access token
    before, calls, good = (
        google.units(EMAIL),
        len(google.calls(EMAIL)),
        account(tenants, tenant).last_good_pass,
    )
    make_due(tenants)
    assert run_all(tenants, work) == ["look"]
    assert (google.units(EMAIL) - before, len(google.calls(EMAIL)) - calls) == (1, 1)
    after = account(tenants, tenant)
    assert good is not None
    assert after.last_good_pass is not None
    assert after.last_good_pass > good
    assert after.next_pass is not None
    assert tallies(tenants.pool)["passes", "good"] == 1


def test_new_mail_is_found_by_the_next_look(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    run_all(tenants, work)
    google.deliver(EMAIL, notice(2))
    assert run_all(tenants, work) == []  # nothing is due
    make_due(tenants)
    assert run_all(tenants, work) == ["look", "pass"]
    assert [it.key for it in tenants.app(tenant).block_list.blocks()] == [alias(2)]


@pytest.mark.usefixtures("tenant")
def test_access_tokens_are_kept_sealed(tenants: Tenants, work: Work) -> None:
    run_all(tenants, work)
    make_due(tenants)
    run_all(tenants, work)
    (look,) = tenants.looks.read([EMAIL])
    assert look.token is not None
    assert look.token.startswith("gAAAA")
    assert look.token not in repr(look)
    assert tenants.sealer.unseal(look.token)


def test_a_sign_in_that_has_ended_is_looked_at_no_more_until_the_owner_signs_in_again(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox, tmp_path: Path
) -> None:
    run_all(tenants, work)
    google.user(EMAIL).revoke()
    make_due(tenants)
    assert run_all(tenants, work) == ["look", "pass"]
    assert account(tenants, tenant).state == "sign_in_again"
    make_due(tenants)
    assert run_all(tenants, work) == []
    tenants.app(tenant).connect(sign_in(google, tmp_path, EMAIL))
    assert run_all(tenants, work) == ["look", "pass"]
    assert account(tenants, tenant).state == "ok"


def test_while_google_is_down_looks_give_up_soon_and_nothing_piles_up(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox, tmp_path: Path
) -> None:
    emails = [f"seller{number}@gmail.com" for number in range(MAX_FAILURES + 4)]
    for email in emails:
        google.add_user(email)
        tenants.app(tenant).connect(sign_in(google, tmp_path, email))
    run_all(tenants, work)
    asked = 0

    def down(_number: int, _method: str, _email: str) -> Fault:
        nonlocal asked
        asked += 1
        return Fault(status=503, reason="backendError")

    google.fault = down
    for _ in range(5):
        tenants.looks.make_due(emails)
        work.plan()
        work.plan()  # looks wait still: nothing more is put in line
        waiting = in_line(tenants)
        assert [task for task, _ in waiting] == ["look"]
        work.look(**waiting[0][1])
        assert in_line(tenants) == []
    assert asked == 5 * MAX_FAILURES
    google.fault = None
    tenants.looks.make_due(emails)
    assert run_all(tenants, work) == ["look"]


@pytest.mark.usefixtures("tenant")
def test_mail_in_trash_does_not_make_every_look_a_pass(tenants: Tenants, work: Work, google: Sandbox) -> None:
    run_all(tenants, work)
    message = google.deliver(EMAIL, notice(3))
    google.user(EMAIL).trash(message)
    for expected in (["look", "pass"], ["look"]):
        make_due(tenants)
        assert run_all(tenants, work) == expected


def test_queued_mail_in_the_trash_is_reported_until_it_is_gone(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    run_all(tenants, work)
    message = google.deliver(EMAIL, notice(3))
    google.user(EMAIL).trash(message)
    for _ in range(2):
        make_due(tenants)
        run_all(tenants, work)
    assert problems(tenants, tenant) == ["unlisted"]
    work.run_pass(EMAIL, tenant)
    assert problems(tenants, tenant) == ["unlisted"]
    google.user(EMAIL).delete_message(message)
    make_due(tenants)
    assert run_all(tenants, work) == ["look", "pass"]
    assert problems(tenants, tenant) == []


def in_a_minute(tenants: Tenants) -> None:
    """Let a minute pass for those who are to be tended."""
    sql = b"UPDATE tenants SET tend_at = tend_at - interval '1 minute 1 second'"
    tenants.pool.run(lambda connection: connection.execute(sql))


def test_a_problem_is_reported_within_five_minutes_and_nobody_is_tended_sooner_than_a_minute_after(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    run_all(tenants, work)
    in_a_minute(tenants)
    assert run_all(tenants, work) == ["tend"], "after a pass"
    in_a_minute(tenants)
    assert run_all(tenants, work) == [], "who has no problem is tended less often"
    google.user(EMAIL).revoke()
    make_due(tenants)
    assert run_all(tenants, work) == ["look", "pass"], "not at once: looks are a minute apart"
    done = []
    for _ in range(LOOKS):
        assert Announcements(tenants.app(tenant).database).waiting() == []
        in_a_minute(tenants)
        done += run_all(tenants, work)
        work.run_pass(EMAIL, tenant)  # brings no look forward
    assert done == ["tend"] * LOOKS
    (told,) = Announcements(tenants.app(tenant).database).waiting()
    assert told.data["kind"] == "sign_in_again"


def test_a_message_that_gmail_does_not_hand_over_is_not_taken_for_one_in_the_trash(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    run_all(tenants, work)
    google.world.faults_by_id[google.deliver(EMAIL, notice(3))] = Fault(status=400)
    google.deliver(EMAIL, notice(4))
    for _ in range(2):
        make_due(tenants)
        run_all(tenants, work)
    assert problems(tenants, tenant) == ["unreadable"]


def test_a_person_s_decision_is_filed_by_a_worker(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    run_all(tenants, work)
    message = google.deliver(EMAIL, sample("suspect/several_orders.eml"))
    make_due(tenants)
    run_all(tenants, work)
    app = tenants.app(tenant)
    (item,) = app.review.items()
    app.review.decide([item.id], "dismissed")
    app.decided([item], "dismissed")
    assert run_all(tenants, work) == ["file"]
    assert "Amazon opt-outs/Review" not in google.mailbox(EMAIL)[message]


def test_what_a_dead_worker_had_begun_is_due_again(tenants: Tenants, tenant: int, work: Work) -> None:
    run_all(tenants, work)
    work.recover("look", {"accounts": [EMAIL]})
    assert run_all(tenants, work) == ["look"]
    work.recover("pass", {"account": EMAIL, "tenant": tenant})
    assert run_all(tenants, work) == ["look", "pass"]


def test_a_problem_is_reported_and_a_webhook_told_by_jobs(
    tenants: Tenants, tenant: int, work: Work, google: Sandbox
) -> None:
    app = tenants.app(tenant)
    run_all(tenants, work)
    Webhook(app.database, app.sealer).set("http://127.0.0.1:9/hook", allow_private=True)
    google.user(EMAIL).revoke()
    make_due(tenants)
    run_all(tenants, work)
    for _ in range(LOOKS):
        work.tend([tenant])
    assert [it.data["kind"] for it in Announcements(app.database).waiting()] == ["sign_in_again"]
    assert run_all(tenants, work) == ["send"]
    hook = Webhook(app.database, app.sealer).get()
    assert hook is not None
    assert hook.failures == 1
