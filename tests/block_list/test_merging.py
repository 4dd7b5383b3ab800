"""How many notices two blocks of one buyer count together."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from making import START, notice

from worker.block_list.merging import block_of, merge


@pytest.mark.parametrize(
    ("counted", "within", "later", "total"),
    [
        (3, 1, 0, 3),  # one of the three
        (3, 3, 0, 3),  # all three
        (1, 2, 0, 2),  # no more than were counted
        (3, 1, 1, 4),  # what came later was not counted yet
        (0, 2, 0, 2),
    ],
)
def test_notices_of_the_time_that_an_imported_count_covers_are_not_counted_twice(
    counted: int, within: int, later: int, total: int
) -> None:
    imported = replace(
        block_of(notice(0, buyer=1)), evidence=(), notices=counted, last_seen=START + timedelta(days=10)
    )
    days = [*range(within), *range(11, 11 + later)]
    news = reduce(merge, (block_of(notice(day, buyer=1, days=day)) for day in days))

    merged = merge(imported, news)
    assert merged.notices == total
    assert merge(merged, news) == merged


@pytest.mark.parametrize(("days", "covered"), [(0, True), (10, True), (-0.001, False), (10.001, False)])
def test_an_imported_count_covers_its_first_and_its_last_moment(days: float, covered: bool) -> None:
    imported = replace(
        block_of(notice(0, buyer=1)), evidence=(), notices=3, last_seen=START + timedelta(days=10)
    )
    assert merge(imported, block_of(notice(1, buyer=1, days=days))).notices == (3 if covered else 4)
