"""Queued mail that cannot be judged is shown to its owner, for as long as that lasts."""

from sellers import EMAIL, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.app import App
from worker.operation.health import health


def test_queued_mail_in_the_trash_is_a_problem_until_it_is_gone(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    notice = google.deliver(EMAIL, sample("opt_out/en_com.eml"), received_at=app.clock.now())
    google.user(EMAIL).trash(notice)
    for _ in range(2):
        app.passes.run(EMAIL)
    (problem,) = health(app, app.clock.now()).problems
    assert (problem.kind, problem.stopping) == ("unlisted", False)
    assert "1 of the mails" in problem.sentence
    google.user(EMAIL).delete_message(notice)
    for _ in range(2):
        app.passes.run(EMAIL)
    assert health(app, app.clock.now()).problems == ()


def test_a_message_that_gmail_does_not_hand_over_is_a_problem(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    bad, _ = (
        google.deliver(EMAIL, sample("opt_out/en_com.eml"), received_at=app.clock.now()) for _ in range(2)
    )
    google.world.faults_by_id[bad] = Fault(status=400)
    app.passes.run(EMAIL)
    (problem,) = health(app, app.clock.now()).problems
    assert (problem.kind, problem.stopping) == ("unreadable", False)
