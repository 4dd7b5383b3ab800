"""After a restore, the mail that was judged since the backup is judged again."""

from pathlib import Path

import pytest
from sellers import Seller

from worker.operation.backup import backup
from worker.operation.restore import restore


@pytest.mark.parametrize("days", [0, 2, 30])
def test_a_notice_that_came_after_the_backup_is_found_again(
    seller: Seller, tmp_path: Path, days: int
) -> None:
    seller.receive("opt_out/it_specimen_shape.eml")
    seller.run_pass()
    seller.later(days=days)
    target = tmp_path / "saved" / "backup"
    target.parent.mkdir()
    backup(seller.folder, target)
    seller.receive("opt_out/en_com.eml")
    seller.later(days=days)
    seller.run_pass()
    known = seller.blocked()
    assert len(known) == 2

    seller.close()
    restore(target, seller.folder)
    seller.restart()
    assert len(seller.blocked()) == 1
    seller.later(hours=1)
    seller.run_pass()
    assert seller.blocked() == known
    assert seller.account.search_from is None
