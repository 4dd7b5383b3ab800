"""The index says what the block list says, whatever happens to the list."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from clocks import FakeClock
from people import OWNER

from oauth_web.index import Index
from oauth_web.listing import PER_PAGE, SORTS, Query, select, tally, undelivered
from worker.app import App
from worker.block_list.block_list import BlockList
from worker.block_list.model import Block, Sighting

VALUES: dict[str, Callable[[Block], object]] = {
    "first_seen": lambda block: block.first_seen,
    "last_seen": lambda block: block.last_seen,
    "buyer": lambda block: block.key,
    "notices": lambda block: block.notices,
}


def fill(block_list: BlockList, clock: FakeClock, numbers: range) -> None:
    block_list.record(
        [
            Sighting(
                account=OWNER,
                message_id=f"{number}@x",
                received_at=clock.now() - timedelta(hours=number * 7 % 100),
                address=f"buyer{number * 13 % 61:010d}@marketplace.amazon.it",
                order_id=f"406-{number:07d}-7654321",
                marketplace=("amazon.it", "amazon.de")[number % 2],
            )
            for number in numbers
        ]
    )


def agree(index: Index, block_list: BlockList) -> None:
    blocks = list(block_list.blocks())
    for sort in SORTS:
        pages = range(1, -(-len(blocks) // PER_PAGE) + 1)
        found = [block for page in pages for block in select(index, Query(sort=sort, page=page)).items]
        assert sorted(found, key=lambda block: block.key) == sorted(blocks, key=lambda block: block.key)
        values = [VALUES[sort](block) for block in found]
        assert values == sorted(values, reverse=True)  # type: ignore[type-var]
    evidence = [it.evidence for it in undelivered(index)]
    assert evidence == sorted(evidence, key=lambda it: it.received_at, reverse=True)
    assert len(evidence) == sum(len(block.evidence) for block in blocks)


def test_it_follows_every_change(engine: App, clock: FakeClock) -> None:
    block_list = engine.block_list
    index = Index(block_list)
    agree(index, block_list)
    fill(block_list, clock, range(80))
    index.warm_up()
    agree(index, block_list)
    block_list.block(["111-1111111-1111111", "111-2222222-1111111"], by="test")
    agree(index, block_list)
    block_list.resolve("111-1111111-1111111", "resolved12345@marketplace.amazon.it", by="test")
    block_list.unblock("buyer0000000013@marketplace.amazon.it", by="test")
    agree(index, block_list)
    fill(block_list, clock, range(80, 120))
    agree(index, block_list)
    block_list.block([f"222-{number:07d}-1111111" for number in range(300)], by="test")
    agree(index, block_list)


def test_it_follows_another_process(engine: App, clock: FakeClock) -> None:
    index = Index(engine.block_list)
    index.rows()
    fill(BlockList(engine.settings.data_dir, now=clock.now), clock, range(10))
    agree(index, engine.block_list)


def test_a_list_in_use_does_not_change(engine: App, clock: FakeClock) -> None:
    index = Index(engine.block_list)
    fill(engine.block_list, clock, range(5))
    before = index.rows()
    copy = list(before)
    fill(engine.block_list, clock, range(5, 10))
    index.rows()
    assert before == copy


@pytest.mark.parametrize("weeks", [1, 16])
def test_weeks_begin_on_monday_and_the_old_ones_are_left_out(
    engine: App, clock: FakeClock, weeks: int
) -> None:
    index = Index(engine.block_list)
    fill(engine.block_list, clock, range(30))  # 23 November 2026 is a Monday, 10 o'clock
    counted = tally(index.rows(), now=clock.now(), weeks=weeks)
    blocks = list(engine.block_list.blocks())
    this_week = [block for block in blocks if block.first_seen.date() >= clock.now().date()]
    assert counted.of_week(counted.weeks[-1]) == len(this_week)
    assert len(counted.weeks) == weeks
    assert sum(counted.counts.values()) == (len(this_week) if weeks == 1 else len(blocks))
