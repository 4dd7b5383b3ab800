"""Keep the gate as the settings say: started, stopped, or restarted when they have changed."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from worker.block_list import BlockList
from worker.database import Database
from worker.errors import BuyerblockError
from worker.gate.record import GateRecord
from worker.gate.settings import GateSettings, StoredGate
from worker.sealing import Sealer

if TYPE_CHECKING:
    from worker.gate.server import Gate

log = logging.getLogger(__name__)


class Follower:
    """A gate that follows its settings at each look. folder: the data directory."""

    def __init__(
        self, database: Database, sealer: Sealer, *, now: Callable[[], datetime], folder: Path
    ) -> None:
        self._stored = StoredGate(database, sealer)
        self._block_list = BlockList(database, now=now)
        self._record = GateRecord(database)
        self._now = now
        self._folder = folder
        self._gate: Gate | None = None
        self._follows: GateSettings | None = None
        self._was_on = False

    def look(self) -> None:
        """Have the gate run if it is switched on, by the settings of now. What keeps it from that is recorded."""
        try:
            settings = self._stored.get()
            if settings is not None and settings.enabled:
                self._was_on = True
                self._follow(settings)
            elif self._was_on:
                self.stop()
                self._was_on = False
                # Only now: a gate that is a process of its own has problems of its own.
                self._record.problem("")
                self._record.flush()
        except BuyerblockError as error:
            self._record.problem(str(error))
            self._record.flush()

    def run(self) -> GateSettings:
        """Have the gate run, switched on or not, and return its settings. Raises UsageError if it cannot."""
        settings = self._stored.existing()
        self._follow(settings)
        return settings

    def _follow(self, settings: GateSettings) -> None:
        if settings == self._follows and self._gate and self._gate.runs:
            return
        self.stop()
        from worker.gate.server import Gate  # noqa: PLC0415 - aiosmtpd is for those who run a gate

        gate = Gate(settings, self._block_list, self._record, now=self._now, folder=self._folder)
        gate.start()
        self._record.problem("")
        self._gate, self._follows = gate, settings

    def stop(self) -> None:
        """Stop it if it runs."""
        if self._gate is not None:
            self._gate.stop()
            self._gate = self._follows = None
