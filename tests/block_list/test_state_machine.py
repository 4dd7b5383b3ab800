"""Any sequence of calls, by two instances on one directory, against a model in plain dicts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from making import START, Now, alias, notice, order

from worker.block_list.block_list import BlockList
from worker.database import Database

BUYERS = st.integers(1, 3)
DAYS = st.integers(0, 9)


@dataclass
class Buyer:
    """What the model knows: notices by number, and since when the buyer is unblocked, if so."""

    notices: set[int] = field(default_factory=set)
    manual: bool = False
    unblocked_on: int | None = None


class TwoInstances(RuleBasedStateMachine):
    """Buyer n has the orders n and n + 100, so that order and alias always belong together."""

    def __init__(self, open_database: Callable[[], Database]) -> None:
        super().__init__()
        self.open_database = open_database

    @initialize()
    def start(self) -> None:
        self.now = Now()
        self.day = 0
        self.instances = [self._open(), self._open()]
        self.buyers: dict[int, Buyer] = {}

    def _open(self) -> BlockList:
        return BlockList(self.open_database(), now=self.now)

    @rule(which=st.integers(0, 1), number=st.integers(0, 5), buyer=BUYERS, day=DAYS, second=st.booleans())
    def a_notice_comes(self, which: int, number: int, buyer: int, day: int, second: bool) -> None:
        # The number of a notice says whose it is and when it came.
        number = (number * 4 + buyer) * 10 + day
        self.instances[which].record(
            [notice(number, buyer=buyer, order_of=buyer + 100 * second, days=day + 0.5)]
        )
        known = self.buyers.setdefault(buyer, Buyer())
        if known.unblocked_on is not None and day + 0.5 <= known.unblocked_on:
            return
        known.notices.add(number)
        known.unblocked_on = None

    @rule(which=st.integers(0, 1), buyer=BUYERS)
    def a_person_blocks(self, which: int, buyer: int) -> None:
        self.instances[which].block([alias(buyer)], by="test")
        known = self.buyers.setdefault(buyer, Buyer())
        known.manual, known.unblocked_on = True, None

    @rule(which=st.integers(0, 1), buyer=BUYERS)
    def a_person_unblocks(self, which: int, buyer: int) -> None:
        known = self.buyers.get(buyer)
        in_force = known is not None and known.unblocked_on is None
        assert self.instances[which].unblock(alias(buyer), by="test") is in_force
        if in_force and known is not None:
            known.unblocked_on = self.day

    @rule(days=st.integers(1, 4))
    def time_passes(self, days: int) -> None:
        self.day += days
        self.now.moment = START + timedelta(days=self.day)

    @rule(which=st.integers(0, 1))
    def a_program_restarts(self, which: int) -> None:
        self.instances[which] = self._open()

    @invariant()
    def both_show_the_model(self) -> None:
        expected: dict[str, Any] = {
            alias(number): (len(known.notices), "opted_out" if known.notices else "manual")
            for number, known in getattr(self, "buyers", {}).items()
            if known.unblocked_on is None
        }
        for block_list in getattr(self, "instances", []):
            shown = {block.key: (block.notices, block.reason) for block in block_list.blocks()}
            assert shown == expected
            assert len(block_list) == len(expected)
            for number in range(1, 4):
                listed = block_list.get(order(number))
                assert listed is None or listed.key == alias(number)


def test_two_instances_show_what_the_model_does(
    opened: Callable[..., Database], request: pytest.FixtureRequest
) -> None:
    numbers = count()
    # What is common to both engines, the faster one shows.
    examples = 12 if request.node.get_closest_marker("postgres") else 40

    class Opened(TwoInstances):
        def __init__(self) -> None:
            name = str(next(numbers))
            super().__init__(lambda: opened(name))

    run_state_machine_as_test(
        Opened, settings=settings(max_examples=examples, stateful_step_count=25, deadline=None)
    )
