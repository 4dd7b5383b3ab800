from collections.abc import Callable
from datetime import timedelta
from threading import Thread

import pytest
from clocks import START

from worker.database import Database
from worker.errors import SignInAgainError, UsageError
from worker.gmail.credentials import Grant
from worker.owner.accounts import Accounts
from worker.problems import Cause, MailboxProblem
from worker.sealing import Sealer

GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
EMAIL = "seller@gmail.com"


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, Sealer("k" * 32))


def test_a_connected_account_is_there_for_everybody(accounts: Accounts, database: Database) -> None:
    account = accounts.connect(EMAIL, GRANT, now=START)
    again = Accounts(database, Sealer("k" * 32))
    assert again.all() == [account]
    assert again.grant(EMAIL) == GRANT


def test_nothing_secret_is_readable_in_the_database(accounts: Accounts, database: Database) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    content = str(database.documents("accounts").all())
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
    accounts.update(
        EMAIL, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_ENDED), search_from=None
    )
    renewed = Grant("1//new", "client-id", "client-secret", "https://oauth2.example/token")
    account = accounts.connect(EMAIL, renewed, now=START + timedelta(days=30))
    assert (account.state, account.problem, account.search_from) == ("ok", None, None)
    assert account.personal_address == first.personal_address
    assert account.connected_at == START
    assert accounts.grant(EMAIL) == renewed


def test_every_kind_of_field_is_read_as_it_was_stored(accounts: Accounts) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    changes = {
        "labels": {"queue": "Label_1"},
        "filter_ids": ("a", "b"),
        "trusted": ("boss@example.com",),
        "redirectors": ("group@example.com", "example.org"),
        "last_pass": START,
        "notice_days": (START.date(),),
        "queued": 3,
    }
    updated = accounts.update(EMAIL, **changes)
    assert updated == accounts.get(EMAIL)
    assert {name: getattr(updated, name) for name in changes} == changes


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


def test_a_grant_sealed_with_another_key_asks_for_a_new_sign_in(
    accounts: Accounts, database: Database
) -> None:
    accounts.connect(EMAIL, GRANT, now=START)
    with pytest.raises(SignInAgainError, match="sign in again"):
        Accounts(database, Sealer("x" * 32)).grant(EMAIL)


def test_an_account_of_an_older_version_opens(accounts: Accounts, database: Database) -> None:
    """It has none of the fields that came later."""
    account = accounts.connect(EMAIL, GRANT, now=START)
    documents = database.documents("accounts")
    document = documents.get(doc_id=EMAIL)
    later = ("queued_since", "undoing", "next_pass", "notice_days", "trusted", "redirectors")
    documents.put({EMAIL: {name: value for name, value in document.items() if name not in later}})
    assert accounts.all() == [account]


def test_an_account_of_another_shape_is_set_aside_until_it_signs_in_again(
    accounts: Accounts, database: Database
) -> None:
    database.documents("accounts").put({EMAIL: {"email": EMAIL, "connected_at": 5}})
    other = accounts.connect("other@gmail.com", GRANT, now=START)
    assert accounts.all() == [other]
    assert database.set_aside() == {"accounts": 1}
    accounts.connect(EMAIL, GRANT, now=START)
    assert {it.email for it in accounts.all()} == {EMAIL, other.email}
    assert database.set_aside() == {}


def test_changes_of_different_fields_at_once_lose_nothing(
    accounts: Accounts, opened: Callable[..., Database]
) -> None:
    accounts.connect(EMAIL, GRANT, now=START)

    def change(field: str) -> None:
        database = opened()  # as another process has it
        for number in range(50):
            Accounts(database, Sealer("k" * 32)).update(EMAIL, **{field: str(number)})

    threads = [Thread(target=change, args=[field]) for field in ("personal_address", "forward_to")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (accounts.get(EMAIL).personal_address, accounts.get(EMAIL).forward_to) == ("49", "49")
