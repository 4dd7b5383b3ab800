"""Start, stop or restart the gate when its settings change."""

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
    """A gate that applies its settings at each look. folder: the data directory."""

    def __init__(
        self, database: Database, sealer: Sealer, *, now: Callable[[], datetime], folder: Path
    ) -> None:
        self._stored = StoredGate(database, sealer)
        self._block_list = BlockList(database, now=now)
        self._record = GateRecord(database)
        self._now = now
        self._folder = folder
        self._gate: Gate | None = None
        self._applied: GateSettings | None = None
        self._was_enabled = False

    def look(self) -> None:
        """Apply the current settings. Record a problem that prevents this."""
        try:
            settings = self._stored.get()
            if settings is not None and settings.enabled:
                self._was_enabled = True
                self._apply(settings)
            elif self._was_enabled:
                self.stop()
                self._was_enabled = False
                # Only if it was enabled here: a gate in another process records its own problems.
                self._record.problem("")
                self._record.flush()
        except BuyerblockError as error:
            self._record.problem(str(error))
            self._record.flush()

    def run(self) -> GateSettings:
        """Run the gate, enabled or not, and return its settings. Raises UsageError if that fails."""
        settings = self._stored.existing()
        self._apply(settings)
        return settings

    def _apply(self, settings: GateSettings) -> None:
        if settings == self._applied and self._gate and self._gate.is_running:
            return
        self.stop()
        from worker.gate.server import Gate  # noqa: PLC0415 - without a gate aiosmtpd is not loaded

        gate = Gate(settings, self._block_list, self._record, now=self._now, folder=self._folder)
        gate.start()
        self._record.problem("")
        self._gate, self._applied = gate, settings

    def stop(self) -> None:
        if self._gate is not None:
            self._gate.stop()
            self._gate = self._applied = None
