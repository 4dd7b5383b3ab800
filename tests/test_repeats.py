"""A fault that comes at every pass is one line an hour with a count, whoever logs it, and whatever its words are."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sellers import EMAIL, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.app import App
from worker.errors import TransientError
from worker.events import fields
from worker.operation import repeats
from worker.operation.housekeeping import logging_errors
from worker.operation.logs import set_up

NOTICE = "opt_out/it_specimen_shape.eml"
log = logging.getLogger("worker.some.module")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What is logged."""
    root = logging.getLogger()
    handlers, levels = list(root.handlers), {it: logging.getLogger(it).level for it in ("", "worker")}
    stream = io.StringIO()
    set_up(stream=stream, as_json=True)
    yield stream
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def at(seconds: float, text: str, *args: object, level: int = logging.WARNING, **about: object) -> None:
    """Log a line at a time of the test's own."""
    record = log.makeRecord(log.name, level, "file", 1, text, args, None, extra=fields(**about))
    record.created = seconds
    log.handle(record)


def test_a_fault_at_each_pass_is_one_line_an_hour_with_a_count(stream: io.StringIO) -> None:
    for minute in range(180):
        at(minute * 60, "It failed at %s.", minute, account=EMAIL)
    shown = lines(stream)
    assert [it.get("repeated") for it in shown] == [None, 59, 59]


def test_other_faults_other_accounts_and_good_news_are_all_shown(stream: io.StringIO) -> None:
    for _ in range(2):
        at(0, "It failed.", account=EMAIL)
        at(0, "It failed.", account="other@gmail.com")
        at(0, "It failed: %s", "no room")
        at(0, "It failed: %s", "no network")
        at(0, "All is well.", level=logging.INFO)
    assert len(lines(stream)) == 4 + 2


def test_a_clock_that_was_set_back_hides_nothing(stream: io.StringIO) -> None:
    at(10_000, "It failed.")
    at(100, "It failed.")
    assert len(lines(stream)) == 2


def test_what_is_known_of_faults_does_not_grow_for_ever(stream: io.StringIO) -> None:
    known = repeats.Repeats()
    for number in range(repeats.MAX_KNOWN * 2):
        known.filter(logging.LogRecord("worker", logging.ERROR, "file", 1, "x" * number, (), None))
    assert len(known._known) == repeats.MAX_KNOWN
    assert stream.getvalue() == ""


def test_unforeseen_failures_at_each_pass_are_one_line_and_a_count(
    app: App, google: Sandbox, monkeypatch: pytest.MonkeyPatch, stream: io.StringIO
) -> None:
    """Their words differ each time, as those of a temporary file that could not be opened do."""
    times = iter(range(1000))

    def fail(*_: object, **__: object) -> None:
        raise OSError(24, f"Too many open files: /tmp/{next(times)}")

    google.deliver(EMAIL, sample(NOTICE))
    with monkeypatch.context() as patched:
        patched.setattr(app.block_list, "record", fail)
        for _ in range(50):
            with pytest.raises(OSError, match="Too many"):
                app.passes.run(EMAIL)
    app.passes.run(EMAIL)
    failed, good, _ = lines(stream)
    assert "Too many open files: /tmp/0" in str(failed["traceback"])
    assert (good["message"], good["failed"]) == ("Passes are good again.", 50)


def test_two_refusals_by_turns_are_two_lines(app: App, google: Sandbox, stream: io.StringIO) -> None:
    app.passes.run(EMAIL)
    before = len(lines(stream))
    for number in range(20):
        fault = Fault(status=503) if number % 2 else Fault(cut="before")
        google.fault = lambda *_, fault=fault: fault
        app.clock.pause(timedelta(hours=2).total_seconds())
        with pytest.raises(TransientError):
            app.passes.run(EMAIL)
    assert len(lines(stream)) - before == 2


def test_a_task_of_the_server_that_fails_each_time_is_one_line(stream: io.StringIO) -> None:
    def fail() -> None:
        raise ZeroDivisionError("nobody foresaw this")

    task = logging_errors("webhook", fail)
    for _ in range(100):
        task()
    (line,) = lines(stream)
    assert (line["task"], line["level"]) == ("webhook", "ERROR")
