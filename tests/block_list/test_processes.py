"""Several processes and threads on one list: nothing acknowledged is lost, nothing half-done is seen."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from making import alias, notice, order

from worker.block_list import layout
from worker.block_list.block_list import BlockList

# BUYERBLOCK_KILLS=100 takes about a minute.
KILLS = int(os.environ.get("BUYERBLOCK_KILLS", "6"))


def test_another_instance_sees_a_change_at_its_next_call(tmp_path: Path) -> None:
    first, second = BlockList(tmp_path), BlockList(tmp_path)
    assert len(second) == 0

    first.record([notice(1, order_of=1)])
    assert second.check([order(1)])[0].blocked
    second.resolve(order(1), alias(1), by="test")
    assert first.get(alias(1)) is not None
    first.unblock(alias(1), by="test")
    assert (len(second), second.generation) == (0, first.generation)


def test_a_reader_follows_through_many_foldings_of_the_journal(tmp_path: Path) -> None:
    writer, reader = BlockList(tmp_path, compact_at=1), BlockList(tmp_path)
    for number in range(1, 8):
        writer.record([notice(number, buyer=number)])
        assert len(reader) == number

    for number in range(8, 12):
        writer.record([notice(number, buyer=number)])
    assert len(reader) == 11


def test_an_unchanged_list_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    BlockList(tmp_path).record([notice(1, buyer=1)])
    reader = BlockList(tmp_path)
    assert len(reader) == 1

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr(Path, "open", refuse)
    assert reader.check([alias(1)])[0].blocked
    assert reader.get(alias(1)) is not None


def test_a_list_keeps_two_generations_of_files_and_no_more(tmp_path: Path) -> None:
    block_list = BlockList(tmp_path, compact_at=1)
    for number in range(1, 10):
        block_list.record([notice(number, buyer=number)])

    place = layout.Layout(tmp_path)
    assert place.snapshot.exists()
    assert place.previous.exists()
    assert len(place.journals()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_process_killed_at_random_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(20260910)
    acknowledged: set[int] = set()
    reader = BlockList(tmp_path)
    with _writer(tmp_path, 1) as steady:
        for kill in range(1, KILLS + 1):
            with _writer(tmp_path, kill * 1_000_000) as victim:
                for _ in range(chance.randrange(1, 40)):
                    acknowledged.add(int(_output(victim).readline()))
                victim.kill()
                acknowledged.update(map(int, _whole_lines(_output(victim).read())))
            acknowledged.add(int(_output(steady).readline()))
            assert all(result.blocked for result in reader.check(map(alias, acknowledged)))
        assert steady.poll() is None
        steady.kill()
        acknowledged.update(map(int, _whole_lines(_output(steady).read())))

    for block_list in (reader, BlockList(tmp_path)):
        keys = {block.key for block in block_list.blocks()}
        assert {alias(number) for number in acknowledged} <= keys
        # What was not acknowledged is at most what each thread had in hand when its process ended.
        assert len(keys) - len(acknowledged) <= 4 * (KILLS + 1)
        assert block_list.problems() == []
    assert len(acknowledged) > KILLS


@contextmanager
def _writer(directory: Path, first: int) -> Iterator[subprocess.Popen[bytes]]:
    here = Path(__file__).parent
    path = os.pathsep.join((str(here), str(here.parent.parent)))
    command = [sys.executable, str(here / "writer.py"), str(directory), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}) as process:
        try:
            yield process
        finally:
            process.kill()


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _whole_lines(output: bytes) -> list[bytes]:
    return output.split(b"\n")[:-1]
