"""Preferences: stored, validated, and shared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from worker.database import Database
from worker.errors import UsageError
from worker.owner.preferences import Preferences, change_preferences, read_preferences, sync_interval
from worker.settings import read_settings


def expire_after(days: int | None, database: Database) -> Preferences:
    return change_preferences(database, lambda it: replace(it, expire_after_days=days))


def store(database: Database, document: dict[str, Any]) -> None:
    database.documents("preferences").put({"preferences": document})


def test_blocks_never_expire_unless_somebody_says_so(database: Database) -> None:
    assert read_preferences(database) == Preferences(expire_after_days=None)


def test_what_was_set_is_read_back_by_everybody(database: Database) -> None:
    assert expire_after(365, database) == read_preferences(database) == Preferences(expire_after_days=365)
    assert expire_after(None, database) == read_preferences(database) == Preferences()


def test_a_change_of_one_preference_keeps_the_other(database: Database) -> None:
    expire_after(365, database)
    change_preferences(database, lambda it: replace(it, sync_interval=900))
    assert read_preferences(database) == Preferences(expire_after_days=365, sync_interval=900)


@pytest.mark.parametrize("days", [-1, 0, 29, 36_501, 10**30, True, 30.5, "90"])
def test_a_number_of_days_that_cannot_be_used_is_refused(days: int, database: Database) -> None:
    expire_after(90, database)
    with pytest.raises(UsageError, match="30 to 36,500 days"):
        expire_after(days, database)
    assert read_preferences(database).expire_after_days == 90


@pytest.mark.parametrize("seconds", [-1, 0, 86_401, True, 60.5, "60"])
def test_an_interval_that_cannot_be_used_is_refused(seconds: int) -> None:
    with pytest.raises(UsageError, match="1 to 86,400 seconds"):
        Preferences(sync_interval=seconds)


def test_the_owners_interval_outweighs_the_environments(database: Database, tmp_path: Path) -> None:
    settings = read_settings({"BUYERBLOCK_DATA_DIR": str(tmp_path), "BUYERBLOCK_SYNC_INTERVAL": "120"})
    assert sync_interval(settings, database) == 120
    change_preferences(database, lambda it: replace(it, sync_interval=900))
    assert sync_interval(settings, database) == 900
    store(database, {"sync_interval": "often"})
    assert sync_interval(settings, database) == 120, "damage must not stop the passes"


@pytest.mark.parametrize("document", [{"expire_after_days": 3}, {"expire_after_days": "90"}])
def test_damaged_preferences_are_not_believed_and_stay_until_the_owner_chooses_again(
    document: dict[str, Any], database: Database
) -> None:
    store(database, document)
    assert read_preferences(database) == Preferences()
    assert database.set_aside() == {"preferences": 1}
    stored = database.engine.rows(f"SELECT document FROM {database.engine.source('preferences')} AS stored")
    assert orjson.loads(stored[0][0]) == document
    expire_after(90, database)
    assert read_preferences(database) == Preferences(expire_after_days=90)
    assert database.set_aside() == {}


def test_names_of_another_version_are_no_damage(database: Database) -> None:
    store(database, {"expire_after_days": 90, "language": "it"})
    assert read_preferences(database).expire_after_days == 90
