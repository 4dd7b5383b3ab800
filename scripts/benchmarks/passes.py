"""Measure passes against Gmail's own limit: real time, 50 ms a request, the real quota, no fault.

The result is compared with the limit of the quota: 6,000 units a minute, 20 for each message read. No program can be
faster.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from oauth_web.demo.sandbox import Sandbox
from signing_in import settings_at, sign_in
from worker.app import App, build_app

EMAIL = "seller@gmail.com"
LATENCY = 0.05  # seconds a request
UNITS_PER_MINUTE = 6000
UNITS_PER_READ = 20  # units for one message
ORDER, ALIAS = b"404-5037655-2521911", b"k9p34y6n3wd25rq"
NOTICE = (Path(__file__).parents[2] / "tests" / "samples" / "opt_out" / "it_specimen_shape.eml").read_bytes()


@dataclass(frozen=True, slots=True)
class Measurement:
    seconds: float
    units: int
    refusals: int


def main() -> None:
    """It takes about twelve minutes, because of Gmail's quota."""
    print(f"== passes: {LATENCY * 1000:.0f} ms a request, {UNITS_PER_MINUTE:,} units a minute", flush=True)
    idle()
    filing(10_000)
    reading(1_500)
    reading(1_500, per_thread=10)


def idle() -> None:
    with connected() as (google, app):
        run(google, app)
        measured = run(google, app)
    print(f"idle pass: {measured.units} unit, {measured.seconds:.3f} s", flush=True)


def reading(number: int, *, per_thread: int = 1) -> None:
    """Measure a pass over queued notices. per_thread: notices in each thread of Gmail."""
    with connected() as (google, app):
        run(google, app)
        deliver(google, number, per_thread=per_thread)
        time.sleep(61)  # until the units of the first pass no longer count
        measured = run(google, app)
        assert len(app.block_list) == number
    read_units = number * UNITS_PER_READ
    bound = read_units / UNITS_PER_MINUTE * 60
    print(
        f"{number:,} queued notices, {per_thread} a thread: {measured.seconds:.1f} s, {measured.seconds / bound:.3f} "
        f"of the quota-bound {bound:.0f} s; {measured.units:,} units, {measured.units / read_units:.4f} of the "
        f"{read_units:,} for reading one by one; refusals: {measured.refusals}",
        flush=True,
    )


def filing(number: int) -> None:
    """Measure how old notices leave the inbox for the queue, without the reading that follows."""
    with connected() as (google, app):
        deliver(google, number)
        started = time.perf_counter()
        app.scheduler.start()
        while any("INBOX" in labels for labels in google.mailbox(EMAIL).values()):
            time.sleep(0.1)
        seconds = time.perf_counter() - started
        app.scheduler.stop()
        print(
            f"{number:,} old notices out of the inbox: {seconds:.1f} s; refusals: {refusals(google)}",
            flush=True,
        )


@contextmanager
def connected() -> Iterator[tuple[Sandbox, App]]:
    """Yield a stand-in for Google, and the program connected to a mailbox there."""
    with tempfile.TemporaryDirectory() as name, Sandbox(latency=LATENCY) as google:
        google.add_user(EMAIL)
        folder = Path(name)
        app = build_app(settings_at(google, folder, units_per_minute=UNITS_PER_MINUTE))
        app.connect(sign_in(google, folder, EMAIL))
        yield google, app
        app.passes.close()


def deliver(google: Sandbox, number: int, *, per_thread: int = 1) -> None:
    """Deliver notices, each about another buyer and order."""
    mail = message_from_bytes(NOTICE)
    (part,) = (it for it in mail.walk() if not it.is_multipart())
    html = part.get_payload(decode=True)
    assert isinstance(html, bytes)
    part.replace_header("Content-Transfer-Encoding", "8bit")
    for n in range(number):
        body = html.replace(ORDER, b"406-%07d-%07d" % (n, n)).replace(ALIAS, b"b%014d" % n)
        part.set_payload(body.decode("ascii", "surrogateescape"))
        mail.replace_header("Message-ID", f"<{n}@eu-west-1.amazonses.com>")
        mail.replace_header("Subject", f"Notice {n // per_thread}")
        google.deliver(EMAIL, mail.as_bytes())


def run(google: Sandbox, app: App) -> Measurement:
    units, started = google.units(EMAIL), time.perf_counter()
    app.passes.run(EMAIL)
    return Measurement(time.perf_counter() - started, google.units(EMAIL) - units, refusals(google))


def refusals(google: Sandbox) -> int:
    return sum(google.refusals(EMAIL).values())


if __name__ == "__main__":
    main()
