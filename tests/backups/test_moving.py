"""A seller moves from a host to a program of one's own and back, with everything."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import every_table
import pytest

from worker.database import DATABASE, Database, close_for_good, open_database
from worker.database.postgres import Postgres
from worker.database.postgres_pool import Pool
from worker.database.postgres_schema import add_tenant
from worker.operation.backup import backup
from worker.operation.restore import restore
from worker.sealing import open_sealer

pytestmark = pytest.mark.postgres


@pytest.fixture
def tenant(pool: Pool, tmp_path: Path) -> Callable[[str], Postgres]:
    return lambda name: Postgres(pool, pool.run(lambda it: add_tenant(it, f"{tmp_path} {name}")))


def test_every_table_of_a_seller_moves_out_of_a_host_and_in_again(
    tenant: Callable[[str], Postgres], tmp_path: Path
) -> None:
    host, home = tmp_path / "host", tmp_path / "home"
    host.mkdir()
    (host / "secret.key").write_text(every_table.KEY, encoding="utf-8")
    sealer = open_sealer(host, None)
    seller = Database(tenant("seller"))
    every_table.fill(seller, sealer)
    backup(host, tmp_path / "all.backup", every_table.PASSPHRASE, now=every_table.NOW, database=seller)
    every_table.check(seller)
    every_table.check_sealed(seller, sealer)
    every_table.check_session(seller, sealer)

    restore(tmp_path / "all.backup", home, every_table.PASSPHRASE)
    with closing(open_database(home)) as database:
        every_table.check(database)
        every_table.check_sealed(database, open_sealer(home, None))
    close_for_good(home / DATABASE)
    again = tenant("again")
    again.take_over(home / DATABASE)
    every_table.check(Database(again))
    every_table.check_sealed(Database(again), sealer)
    again.check()
