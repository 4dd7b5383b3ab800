"""Programs that write are killed at random moments. ``scripts/kill_the_program.py`` does it at length."""

import os
from pathlib import Path

import pytest

from kill_the_program import commit, kill, verify
from worker.database import Database


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is a thing of POSIX systems.")
def test_a_killed_program_has_kept_every_promise(tmp_path: Path) -> None:
    found = kill(tmp_path, times=15, seed=0)
    assert found.kills == 15
    assert found.promised > 15


def test_a_lost_change_would_be_noticed(database: Database) -> None:
    for number in range(1, 6):
        commit(database, number)
    verify(database, 5)
    database.documents("orders").remove(doc_ids=[database.documents("orders").all()[0].doc_id])
    with pytest.raises(AssertionError, match="1 lost"):
        verify(database, 5)
