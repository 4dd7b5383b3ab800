from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from clocks import START

from worker.accounts import Accounts
from worker.errors import DamagedFileError, SignInAgainError, StorageError, UsageError
from worker.gmail.credentials import Grant
from worker.sealing import Sealer

GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
EMAIL = "seller@gmail.com"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path, Sealer("k" * 32))


def test_a_connected_account_is_there_for_another_process(accounts: Accounts, tmp_path: Path) -> None:
    account = accounts.connect(EMAIL, GRANT, now=START)
    again = Accounts(tmp_path, Sealer("k" * 32))
    assert again.all() == [account]
    assert again.grant(EMAIL) == GRANT


def test_nothing_secret_is_readable_in_the_file(accounts: Accounts, tmp_path: Path) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    content = (tmp_path / "accounts.json").read_text(encoding="utf-8")
    assert EMAIL in content
    assert "refresh-token" not in content
    assert "client-secret" not in content


def test_the_personal_address_is_the_accounts_own_and_hard_to_guess(accounts: Accounts) -> None:
    one = accounts.connect(EMAIL, GRANT, now=START).personal_address
    other = accounts.connect("other@gmail.com", GRANT, now=START).personal_address
    assert one.startswith("seller+optouts-")
    assert one.endswith("@gmail.com")
    assert one.partition("-")[2].partition("@")[0] != other.partition("-")[2].partition("@")[0]


def test_signing_in_again_keeps_what_was_known_and_clears_the_problem(accounts: Accounts) -> None:
    first = accounts.connect(EMAIL, GRANT, now=START)
    accounts.update(EMAIL, state="sign_in_again", problem="The sign-in has ended.", search_from=None)
    renewed = Grant("1//new", "client-id", "client-secret", "https://oauth2.example/token")
    account = accounts.connect(EMAIL, renewed, now=START + timedelta(days=30))
    assert (account.state, account.problem, account.search_from) == ("ok", "", None)
    assert account.personal_address == first.personal_address
    assert account.connected_at == START
    assert accounts.grant(EMAIL) == renewed


def test_every_kind_of_field_survives_the_file(accounts: Accounts) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    changes = {
        "labels": {"queue": "Label_1"},
        "filter_ids": ("a", "b"),
        "trusted": ("boss@example.com",),
        "last_pass": START,
        "queued": 3,
    }
    updated = accounts.update(EMAIL, **changes)
    assert updated == accounts.get(EMAIL)
    assert {name: getattr(updated, name) for name in changes} == changes


def test_a_file_of_an_older_version_opens(accounts: Accounts, tmp_path: Path) -> None:
    """It has none of the fields that came later."""
    account = accounts.connect(EMAIL, GRANT, now=START)
    path = tmp_path / "accounts.json"
    content = orjson.loads(path.read_bytes())
    for name in ("queued_since", "undoing", "next_pass"):
        del content["_default"]["1"][name]
    path.write_bytes(orjson.dumps(content))
    assert accounts.all() == [account]


def test_a_file_of_a_newer_version_is_refused_and_untouched(accounts: Accounts, tmp_path: Path) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    path = tmp_path / "accounts.json"
    content = orjson.loads(path.read_bytes())
    content["format"]["1"]["version"] += 1
    content["_default"]["1"] = {"of": "another shape"}
    path.write_bytes(orjson.dumps(content))
    for use in (accounts.all, lambda: accounts.connect(EMAIL, GRANT, now=START)):
        with pytest.raises(StorageError, match="newer version"):
            use()
    assert orjson.loads(path.read_bytes()) == content


def test_an_update_does_not_bring_a_disconnected_account_back(accounts: Accounts) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    accounts.remove(EMAIL)
    assert accounts.update(EMAIL, queued=1) is None
    assert accounts.all() == []


def test_an_unknown_account_gets_a_sentence_that_names_the_known_ones(accounts: Accounts) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    with pytest.raises(
        UsageError, match=r"nobody@gmail\.com is not a connected account; connected: seller@gmail\.com"
    ):
        accounts.get("nobody@gmail.com")


def test_an_account_is_found_in_any_spelling(accounts: Accounts) -> None:
    account = accounts.connect(EMAIL, GRANT, now=START)
    assert accounts.get("Seller@Gmail.com") == account


def test_a_grant_sealed_with_another_key_asks_for_a_new_sign_in(accounts: Accounts, tmp_path: Path) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    with pytest.raises(SignInAgainError, match="sign in again"):
        Accounts(tmp_path, Sealer("x" * 32)).grant(EMAIL)


def test_a_damaged_file_is_set_aside_and_never_overwritten(accounts: Accounts, tmp_path: Path) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    path = tmp_path / "accounts.json"
    damaged = path.read_bytes()[:-20]
    path.write_bytes(damaged)
    with pytest.raises(DamagedFileError, match="sign in again"):
        accounts.all()
    assert [it.read_bytes() for it in tmp_path.glob("accounts.json.damaged-*")] == [damaged]
    assert accounts.all() == []


@pytest.mark.parametrize(
    "content", ["[]", "5", '{"_default": []}', '{"_default": {"1": {}}}', '{"_default": {"1": null}}']
)
def test_a_file_of_another_shape_is_set_aside_too(accounts: Accounts, tmp_path: Path, content: str) -> None:
    (tmp_path / "accounts.json").write_text(content, encoding="utf-8")
    with pytest.raises(DamagedFileError, match="sign in again"):
        accounts.connect(EMAIL, GRANT, now=START)
    assert [it.read_text(encoding="utf-8") for it in tmp_path.glob("accounts.json.damaged-*")] == [content]
