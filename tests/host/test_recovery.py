"""PostgreSQL came back as of an earlier moment: what was judged since is judged again."""

from pathlib import Path

import pytest

from hosting import alias, notice
from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.database.schema import TABLES
from worker.host.recovery import search_after_recovery
from worker.host.tenants import Tenants
from worker.host.work import Work

pytestmark = pytest.mark.postgres
EMAIL = "seller@gmail.com"


def change(tenants: Tenants, sql: str) -> None:
    tenants.pool.run(lambda connection: connection.execute(sql.encode()))


@pytest.mark.parametrize("returned", [True, False])
def test_what_a_recovery_of_postgresql_has_lost_is_read_from_the_mailboxes_again(
    tenants: Tenants, google: Sandbox, tmp_path: Path, returned: bool
) -> None:
    tenant = tenants.add(EMAIL)
    app = tenants.app(tenant)
    app.connect(sign_in(google, tmp_path, EMAIL))
    work, lineage = Work(tenants), app.database.engine.lineage
    work.run_pass(EMAIL, tenant)
    assert not search_after_recovery(tenants), "the first start"
    google.deliver(EMAIL, notice(7))
    work.run_pass(EMAIL, tenant)
    assert alias(7) in {it.key for it in app.block_list.blocks()}
    for table in set(TABLES) - {"accounts", "preferences", "owners"}:
        change(tenants, f'DELETE FROM "{table}" WHERE tenant_id = {tenant}')
    if returned:
        change(tenants, "UPDATE tallies SET number = number + 1 WHERE what = 'timeline'")
    assert search_after_recovery(tenants) == returned
    assert not search_after_recovery(tenants)
    (look,) = tenants.looks.read([EMAIL])
    assert look.rules_due == returned, "the next look begins a pass"
    work.run_pass(EMAIL, tenant)
    assert {it.key for it in app.block_list.blocks()} == ({alias(7)} if returned else set())
    assert (app.database.engine.lineage != lineage) == returned
