"""A limit of a host is one for all its web processes."""

import pytest

from worker.database.postgres_pool import Pool
from worker.host import limits
from worker.host.limits import SharedLimit

pytestmark = pytest.mark.postgres


@pytest.fixture
def counted(empty_pool: Pool) -> Pool:
    empty_pool.run(lambda connection: connection.execute("TRUNCATE limits"))
    return empty_pool


def later(pool: Pool, seconds: int) -> None:
    """Let time pass for what is counted."""
    sql = "UPDATE limits SET empty_at = empty_at - %s * interval '1 second'"
    pool.run(lambda connection: connection.execute(sql, (seconds,)))


def test_what_one_process_counted_holds_for_another(counted: Pool) -> None:
    one, another = (SharedLimit(counted, "sign-in", 2, 1000) for _ in range(2))
    assert [one.wait("a"), another.wait("a")] == [0, 0]
    assert 499 < one.wait("a") <= 500
    assert 499 < another.wait("a") <= 500


def test_callers_and_limits_are_counted_alone(counted: Pool) -> None:
    limit = SharedLimit(counted, "sign-in", 1, 1000)
    assert [limit.wait("a"), limit.wait("b"), SharedLimit(counted, "token", 1, 1000).wait("a")] == [0, 0, 0]
    assert limit.wait("a") > 0


def test_it_lets_through_again_bit_by_bit(counted: Pool) -> None:
    limit = SharedLimit(counted, "sign-in", 2, 1000)
    assert [limit.wait("a"), limit.wait("a")] == [0, 0]
    later(counted, 501)
    assert limit.wait("a") == 0
    assert limit.wait("a") > 0


def test_whatever_a_caller_calls_itself_is_counted(counted: Pool) -> None:
    limit = SharedLimit(counted, "token", 1, 1000)
    assert limit.wait("\0" + "é" * 10_000) == 0
    assert limit.wait("\0" + "é" * 10_000) > 0


def test_what_is_over_is_forgotten(counted: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_DELETE_EVERY", 3)
    limit = SharedLimit(counted, "token", 1, 1000)
    for caller in "ab":
        limit.wait(caller)
    later(counted, 1001)
    limit.wait("c")
    assert counted.run(lambda it: it.execute("SELECT count(*) FROM limits").fetchall()) == [(1,)]
