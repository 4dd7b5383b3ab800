"""What stands in the log, and what never does."""

import io
import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.errors import StorageError
from worker.events import fields
from worker.operation import logs
from worker.operation.logs import Lines, log_settings, set_up
from worker.operation.redaction import without_buyers, without_secrets
from worker.settings import Settings

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"
TOKENS = {
    "access": "ya29.a0AfH6SMBx_invented-token",
    "refresh": "1//0gInventedRefreshToken-abc_123",
    "code": "4/0AInventedCode_abcdefgh",
    "client": "GOCSPX-inventedSecret",
    "own": "buyerblock_" + "x" * 43,
    "web": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl",
}
log = logging.getLogger("worker.some.module")


@pytest.fixture(autouse=True)
def untouched_logging() -> Iterator[None]:
    root = logging.getLogger()
    names = ("", "worker", "oauth_web", "googleapiclient.discovery_cache")
    handlers, levels = list(root.handlers), {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def raised(words: str) -> Exception:
    """Return an error that has a traceback."""
    try:
        raise ValueError(words)  # noqa: TRY301 - a traceback is what it is for
    except ValueError as error:
        return error


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_an_event_is_one_line_with_a_sentence_and_its_fields(stream: io.StringIO) -> None:
    set_up(stream=stream)
    log.info(
        "A pass over %s ended.", "x", extra=fields(account="seller@gmail.com", judged=3, why="two words")
    )
    (line,) = stream.getvalue().splitlines()
    assert line[10] == "T"
    assert line[23:] == 'Z INFO A pass over x ended. account=seller@gmail.com judged=3 why="two words"'


def test_as_json_it_is_an_object_with_the_same_truths(stream: io.StringIO) -> None:
    set_up(stream=stream, as_json=True)
    log.warning("A pass ended.", extra=fields(account="seller@gmail.com", judged=3, problem=None))
    told = json.loads(stream.getvalue())
    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "WARNING",
        "message": "A pass ended.",
        "logger": "worker.some.module",
        "account": "seller@gmail.com",
        "judged": 3,
        "problem": None,
    }


@pytest.mark.parametrize("as_json", [False, True])
def test_a_line_break_in_a_text_of_a_stranger_makes_no_line(stream: io.StringIO, *, as_json: bool) -> None:
    set_up(stream=stream, as_json=as_json)
    log.info("From %s.", "x\n2026 INFO All is well\x1b[2J\u2028y", extra=fields(name="a\r\nb"))
    assert stream.getvalue().count("\n") == 1
    assert len(stream.getvalue().splitlines()) == 1 or as_json
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("verbose", [False, True])
@pytest.mark.parametrize("secret", TOKENS.values(), ids=TOKENS.keys())
def test_no_token_is_logged_at_any_level(
    stream: io.StringIO, secret: str, *, as_json: bool, verbose: bool
) -> None:
    set_up(stream=stream, as_json=as_json, verbose=verbose)
    log.debug("It is %s.", secret)
    log.info("Sent.", extra=fields(header=f"Authorization: Bearer {secret}", body={"x": secret}))
    log.error("It failed.", exc_info=raised(f"refused: {secret}"))
    assert secret not in stream.getvalue()
    assert "It failed." in stream.getvalue()
    assert "ValueError: refused" in stream.getvalue()


def test_aliases_and_orders_are_logged_at_debug_level_only(stream: io.StringIO) -> None:
    set_up(stream=stream, verbose=True)
    log.info("%s of %s", ALIAS, ORDER, extra=fields(url=f"/blocks/{ALIAS.replace('@', '%40')}?q={ORDER}"))
    log.error("For %s.", "a+b@m.marketplace.amazon.co.jp", exc_info=raised(f"{ALIAS.upper()} {ORDER}"))
    shown = stream.getvalue().lower()
    assert "marketplace.amazon" not in shown
    assert ORDER not in shown
    assert "[alias] of [order]" in shown

    log.debug("%s of %s", ALIAS, ORDER)
    assert f"{ALIAS} of {ORDER}" in stream.getvalue()


def test_what_people_wrote_is_logged_at_debug_level_only(stream: io.StringIO) -> None:
    set_up(stream=stream, verbose=True)
    log.warning("A mail.", extra=fields(subject="Where is my parcel", sender="Ann <ann@example.com>", size=7))
    assert stream.getvalue().endswith("A mail. subject=[hidden] sender=[hidden] size=7\n")
    log.debug("A mail.", extra=fields(subject="Where is my parcel"))
    assert "Where is my parcel" in stream.getvalue()


def test_a_secret_that_is_known_is_hidden_wherever_it_turns_up(stream: io.StringIO) -> None:
    set_up(stream=stream, secrets=["my own key of 32 characters....", None])
    log.info("It is my own key of 32 characters.....")
    assert stream.getvalue().endswith("It is [secret].\n")


@pytest.mark.parametrize(
    "text",
    [
        f"<{ALIAS}>",
        f"mailto:{ALIAS}?subject=x",
        "to=abcdefgh%2B1-2%40marketplace.amazon.co.uk",
        "abcdefgh+1-2.3@M.Marketplace.Amazon.co.jp",
        f"'{ORDER}'",
        "[D01-1234567-1234567]",
    ],
)
def test_a_buyer_is_hidden_in_every_spelling(text: str) -> None:
    assert not re.search(r"k4q8z1|abcdefgh|\d{7}|amazon", without_buyers(text), re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token=abcdef123 rest", "token=[secret] rest"),
        ("{'refresh_token': 'abcdef123'}", "{'refresh_token': '[secret]'}"),
        ('"client_secret":"abcdef123"', '"client_secret":"[secret]"'),
        (
            "GET /oauth2/callback?state=abcdefghij&code=klmnopqrst",
            "GET /oauth2/callback?state=[secret]&code=[secret]",
        ),
        ("Bearer abcdefgh.ijk", "Bearer [token]"),
        ("https://seller:pass@proxy.example:3128/", "https://[secret]@proxy.example:3128/"),
        ("Set-Cookie: abcdef1234; Path=/", "Set-Cookie: [secret]; Path=/"),
        ("the token service answered 500", "the token service answered 500"),
        ("token_uri=https://oauth2.example/token", "token_uri=https://oauth2.example/token"),
        ("state=ok code=200", "state=ok code=200"),
        ("seller@gmail.com", "seller@gmail.com"),
    ],
)
def test_secrets_are_known_by_their_names_and_ordinary_words_stay(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


@pytest.mark.parametrize("piece", ["a1-", "a", "token", "eyJ.", "1//", "://", "@m.", "%2B", "406-0000000-"])
def test_a_page_of_nonsense_takes_no_time(piece: str) -> None:
    nonsense = piece * (90_000 // len(piece))
    started = time.perf_counter()
    assert without_buyers(without_secrets(nonsense)) == nonsense
    assert time.perf_counter() - started < 2


def test_libraries_are_heard_from_a_warning_on_even_when_verbose(stream: io.StringIO) -> None:
    set_up(stream=stream, verbose=True)
    library = logging.getLogger("requests_oauthlib.oauth2_session")
    library.debug("what was sent")
    library.info("what was sent")
    library.warning("something is wrong")
    log.debug("of our own")
    assert "what was sent" not in stream.getvalue()
    assert "something is wrong" in stream.getvalue()
    assert "of our own" in stream.getvalue()


def test_setting_up_twice_logs_every_event_once(stream: io.StringIO) -> None:
    set_up(stream=stream)
    set_up(stream=stream)
    log.info("Once.")
    assert stream.getvalue().count("Once.") == 1


def test_a_file_takes_the_log_of_a_service_and_stays_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 10_000
    monkeypatch.setattr(logs, "MAX_BYTES", size)
    path = tmp_path / "buyerblock.log"
    set_up(file=path)
    for n in range(5):
        log.info("Line %s: %s", n, "x" * (size - 200))
    set_up(stream=io.StringIO())  # closes the file

    assert {it.name for it in tmp_path.iterdir()} == {
        "buyerblock.log",
        "buyerblock.log.1",
        "buyerblock.log.2",
    }
    assert "Line 4" in path.read_text(encoding="utf-8")
    assert sum(it.stat().st_size for it in tmp_path.iterdir()) <= 3 * size
    if os.name == "posix":
        assert {stat.S_IMODE(it.stat().st_mode) for it in tmp_path.iterdir()} == {0o600}


def test_a_log_that_cannot_be_written_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"Cannot write .*buyerblock\.log"):
        set_up(file=tmp_path / "missing" / "buyerblock.log")


def test_the_settings_in_force_are_logged_without_secrets(stream: io.StringIO, tmp_path: Path) -> None:
    set_up(stream=stream)
    secret = "k" * 40
    log_settings(Settings(data_dir=tmp_path, client_secrets=tmp_path / "c.json", secret_key=secret), "0.1.0")
    (line,) = stream.getvalue().splitlines()
    assert secret not in line
    assert "secret_key=set" in line
    assert "version=0.1.0" in line
    assert "sync_interval=60" in line
    assert f"data_dir={tmp_path}" in line


def test_a_record_that_tells_nothing_more_is_a_plain_sentence() -> None:
    record = logging.LogRecord("worker", logging.INFO, "file", 1, "All is well.", (), None)
    assert Lines().format(record).endswith("Z INFO All is well.")
