"""A gate between smtplib and a real server, all on loopback."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from certificates import write_certificate
from clocks import FakeClock
from gates import ALLOWED, BLOCKED, Running, free_port
from real_server import RealServer

from worker.block_list import BlockList
from worker.database import Database
from worker.gate.record import GateRecord
from worker.gate.server import Gate
from worker.gate.settings import GateSettings, StoredGate
from worker.sealing import Sealer


@pytest.fixture
def block_list(database: Database, clock: FakeClock) -> BlockList:
    found = BlockList(database, now=clock.now)
    found.block(BLOCKED, by="test")
    assert not any(it.blocked for it in found.check(ALLOWED))
    return found


@pytest.fixture
def real() -> Iterator[RealServer]:
    with RealServer() as server:
        yield server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return write_certificate(tmp_path, "localhost", "127.0.0.1")


@pytest.fixture
def run(
    database: Database, block_list: BlockList, clock: FakeClock, tmp_path: Path
) -> Iterator[Callable[..., Running]]:
    """Start a gate in front of a server, with other settings if some are named."""
    gates: list[Gate] = []

    def start(server: RealServer, **changes: object) -> Running:
        stored = StoredGate(database, Sealer("a key of tests"))
        wanted = GateSettings(
            upstream="localhost", upstream_port=server.port, upstream_tls="none", port=free_port()
        )
        stored.save(replace(wanted, **changes))
        secret = stored.new_password()
        record = GateRecord(database)
        gate = Gate(stored.existing(), block_list, record, now=clock.now, folder=tmp_path)
        gate.start()
        gates.append(gate)
        return Running(gate, stored.existing().port, secret, record)

    yield start
    for gate in gates:
        gate.stop()


@pytest.fixture
def gate(run: Callable[..., Running], real: RealServer) -> Running:
    return run(real)
