"""What systemd is told, through a real socket."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.operation.systemd import ALIVE, READY, STOPPING, notify, watchdog_interval

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="There is no systemd on this system.")


def listening(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.settimeout(5)
        yield listener


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    yield from listening(str(tmp_path / "notify"))


def test_each_state_arrives_as_one_datagram(manager: socket.socket) -> None:
    for state in (READY, ALIVE, STOPPING):
        assert notify(state, {"NOTIFY_SOCKET": manager.getsockname()})
    assert [manager.recv(100) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


@pytest.mark.skipif(sys.platform != "linux", reason="Abstract sockets are Linux's own.")
def test_a_socket_in_the_abstract_namespace_is_reached() -> None:
    name = f"buyerblock-test-{os.getpid()}"
    for listener in listening("\0" + name):
        assert notify(READY, {"NOTIFY_SOCKET": "@" + name})
        assert listener.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_happens(tmp_path: Path) -> None:
    assert not notify(READY, {})
    assert not notify(READY, {"NOTIFY_SOCKET": str(tmp_path / "gone")})


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "300000000"}, 150.0),
        ({"WATCHDOG_USEC": "300000000", "WATCHDOG_PID": str(os.getpid())}, 150.0),
        ({"WATCHDOG_USEC": "300000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_it_is_known_how_often_the_watchdog_wants_to_hear(
    environ: dict[str, str], seconds: float | None
) -> None:
    assert watchdog_interval(environ) == seconds
