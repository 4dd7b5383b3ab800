"""Tokens of the HTTP API, in the database and on the command line."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from worker.cli.tokens import token as command
from worker.database import Database, open_database
from worker.errors import StorageError, UsageError
from worker.owner.tokens import Tokens

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database)


@pytest.fixture
def buyerblock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "new"))
    return lambda *arguments: CliRunner().invoke(command, arguments)


def test_a_token_is_found_by_what_was_shown(tokens: Tokens) -> None:
    secret = tokens.create("mailing tool", "write", now=NOW)
    found = tokens.find(secret, now=NOW)
    assert found is not None
    assert (found.name, found.scope, found.created_at) == ("mailing tool", "write", NOW)
    assert tokens.find(secret[:-1], now=NOW) is None
    assert tokens.find("", now=NOW) is None
    assert tokens.find("\udcff", now=NOW) is None


def test_the_database_does_not_hold_the_token(tokens: Tokens, database: Database) -> None:
    secret = tokens.create("tool", now=NOW)
    content = str([(it.doc_id, it) for it in database.documents("tokens")])
    assert "tool" in content
    assert secret.removeprefix("buyerblock_") not in content


def test_the_last_use_is_written_once_a_minute(
    tokens: Tokens, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tokens.create("tool", now=NOW)
    tokens.find(secret, now=NOW + MINUTE)
    with monkeypatch.context() as patch:
        patch.setattr(database.documents("tokens"), "put", None)
        for second in range(1, 60):
            tokens.find(secret, now=NOW + MINUTE + timedelta(seconds=second))
    assert tokens.all()[0].last_used == NOW + MINUTE
    tokens.find(secret, now=NOW + 2 * MINUTE)
    assert tokens.all()[0].last_used == NOW + 2 * MINUTE


def test_a_token_works_while_its_last_use_cannot_be_written(
    tokens: Tokens, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    secret = tokens.create("tool", now=NOW)
    monkeypatch.setattr(database.documents("tokens"), "put", full)
    assert tokens.find(secret, now=NOW) is not None
    assert "The disk is full" in caplog.text
    assert tokens.all()[0].last_used is None


def test_no_two_tokens_are_alike(tokens: Tokens) -> None:
    made = {tokens.create(f"tool {number}", now=NOW) for number in range(20)}
    assert len(made) == 20
    assert min(map(len, made)) > 50


def test_a_revoked_token_is_gone_for_everybody(tokens: Tokens, database: Database) -> None:
    secret, other = tokens.create("tool", now=NOW), tokens.create("other", now=NOW)
    assert Tokens(database).revoke("tool")
    assert tokens.find(secret, now=NOW) is None
    assert tokens.find(other, now=NOW) is not None
    assert not tokens.revoke("tool")


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x00b", "a\x1b[31m"])
def test_a_name_that_cannot_be_shown_is_refused(tokens: Tokens, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 60"):
        tokens.create(name, now=NOW)


def test_a_name_is_given_once(tokens: Tokens) -> None:
    secret = tokens.create("tool", now=NOW)
    with pytest.raises(UsageError, match="already"):
        tokens.create(" tool ", now=NOW)
    assert tokens.find(secret, now=NOW) is not None
    tokens.revoke("tool")
    assert tokens.find(tokens.create("tool", now=NOW), now=NOW) is not None


def test_the_commands_make_list_and_revoke(buyerblock: Callable[..., Result], tmp_path: Path) -> None:
    made = buyerblock("create", "mailing tool", "--scope", "write")
    assert made.exit_code == 0
    secret = made.stdout.strip()
    with closing(open_database(tmp_path / "new")) as database:
        found = Tokens(database).find(secret, now=datetime.now(UTC))
    assert found is not None
    assert found.scope == "write"
    listed = buyerblock("list").stdout
    assert "mailing tool  write" in listed
    assert "last used" in listed
    assert secret not in listed
    assert buyerblock("revoke", "mailing tool").exit_code == 0
    assert buyerblock("list").stdout == ""


def test_a_token_only_reads_unless_asked_for_more(buyerblock: Callable[..., Result]) -> None:
    buyerblock("create", "tool")
    assert "tool  read" in buyerblock("list").stdout
    assert "never used" in buyerblock("list").stdout


def test_revoking_an_unknown_token_says_so(buyerblock: Callable[..., Result]) -> None:
    buyerblock("create", "tool")
    answer = buyerblock("revoke", "nothing")
    assert isinstance(answer.exception, UsageError)
    assert "token list" in str(answer.exception)
