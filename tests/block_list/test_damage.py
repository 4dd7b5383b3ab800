"""Damaged files: recovered if a second copy is whole, else set aside and left to a person."""

import logging
import random
from pathlib import Path

import pytest
from making import alias, notice

from worker.block_list.block_list import BlockList
from worker.block_list.layout import Layout
from worker.errors import DamagedFileError, StorageError


def _filled(directory: Path, *, blocks: int = 5, compact_at: int = 1) -> BlockList:
    block_list = BlockList(directory, compact_at=compact_at)
    for number in range(1, blocks + 1):
        block_list.record([notice(number, buyer=number)])
    return block_list


def _keys(directory: Path) -> list[str]:
    return [block.key for block in BlockList(directory).blocks()]


def _aside(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in Layout(directory).set_aside()]


@pytest.mark.parametrize(
    "compact_at", [1, 1_000_000], ids=["with a second snapshot", "with the first journal"]
)
@pytest.mark.parametrize("garbage", [b"", b"{}", b"\0" * 100, b"not what was written\n" * 9])
def test_a_damaged_snapshot_is_recovered_from_the_second_copy(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, compact_at: int, garbage: bytes
) -> None:
    _filled(tmp_path, compact_at=compact_at)
    Layout(tmp_path).snapshot.write_bytes(garbage)

    with caplog.at_level(logging.WARNING):
        assert _keys(tmp_path) == [alias(number) for number in range(1, 6)]
    assert "is damaged. The list was recovered completely from its second copy" in caplog.text
    assert _aside(tmp_path) == [garbage]
    assert "was damaged and set aside" in BlockList(tmp_path).problems()[0]
    BlockList(tmp_path).record([notice(6, buyer=6)])
    assert _keys(tmp_path) == [alias(number) for number in range(1, 7)]


def test_a_missing_snapshot_is_recovered_from_the_second_copy(tmp_path: Path) -> None:
    _filled(tmp_path)
    Layout(tmp_path).snapshot.unlink()

    assert _keys(tmp_path) == [alias(number) for number in range(1, 6)]


def test_an_instance_at_work_survives_damage_to_the_snapshot(tmp_path: Path) -> None:
    block_list = _filled(tmp_path)
    Layout(tmp_path).snapshot.write_bytes(b"garbage")

    assert len(block_list) == 5


def test_a_file_that_never_was_a_list_is_set_aside_and_refused(tmp_path: Path) -> None:
    (tmp_path / "blocks.json").write_bytes(b"garbage")

    for _ in range(2):
        with pytest.raises(DamagedFileError, match=r"blocks.json is damaged.*restore a backup, or delete"):
            BlockList(tmp_path).check([alias(1)])
        with pytest.raises(DamagedFileError, match=r"restore a backup"):
            BlockList(tmp_path).block([alias(1)], by="test")
    assert _aside(tmp_path) == [b"garbage"]
    assert not (tmp_path / "blocks.json").exists()


def test_a_person_may_go_on_with_what_is_left(tmp_path: Path) -> None:
    _filled(tmp_path, compact_at=1_000_000)
    journal = Layout(tmp_path).journal(0)
    content = journal.read_bytes()
    middle = content.index(alias(3).encode())
    journal.write_bytes(content[:middle] + b"X" + content[middle + 1 :])

    with pytest.raises(DamagedFileError, match="4 entries could still be read"):
        len(BlockList(tmp_path))
    Layout(tmp_path).incomplete.unlink()
    assert _keys(tmp_path) == [alias(1), alias(2), alias(4), alias(5)]
    assert len(_aside(tmp_path)) == 1


def test_both_copies_damaged_is_refused_with_what_the_journals_hold(tmp_path: Path) -> None:
    _filled(tmp_path)
    Layout(tmp_path).snapshot.write_bytes(b"garbage")
    Layout(tmp_path).previous.write_bytes(b"garbage")

    with pytest.raises(DamagedFileError, match="some may be missing"):
        len(BlockList(tmp_path))
    assert _aside(tmp_path) == [b"garbage", b"garbage"]


def test_an_unfinished_transaction_at_the_end_is_forgotten(tmp_path: Path) -> None:
    _filled(tmp_path, blocks=2, compact_at=1_000_000)
    journal = Layout(tmp_path).journal(0)
    content = journal.read_bytes()
    last = content.rstrip(b"\n").rindex(b"\n") + 1

    for end in range(last, len(content)):
        journal.write_bytes(content[:end])
        assert _keys(tmp_path) == [alias(1)]
    journal.write_bytes(content[: last + 20])
    BlockList(tmp_path).record([notice(3, buyer=3)])
    assert _keys(tmp_path) == [alias(1), alias(3)]
    assert BlockList(tmp_path).problems() == []


@pytest.mark.parametrize("end", [b"0", b"00000000", b"00000000 "])
def test_an_end_that_looks_like_the_checksum_of_nothing_is_forgotten(tmp_path: Path, end: bytes) -> None:
    _filled(tmp_path, blocks=2, compact_at=1_000_000)
    with Layout(tmp_path).journal(0).open("ab") as journal:
        journal.write(end)

    assert _keys(tmp_path) == [alias(1), alias(2)]


def test_a_line_missing_from_the_middle_of_a_journal_is_refused(tmp_path: Path) -> None:
    _filled(tmp_path, compact_at=1_000_000)
    journal = Layout(tmp_path).journal(0)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3] + lines[4:]))

    with pytest.raises(DamagedFileError, match="4 entries could still be read"):
        len(BlockList(tmp_path))


def test_a_lost_journal_is_refused(tmp_path: Path) -> None:
    _filled(tmp_path)
    place = Layout(tmp_path)
    place.journal(max(place.journals())).unlink()

    with pytest.raises(DamagedFileError, match="some may be missing"):
        len(BlockList(tmp_path))


def test_a_snapshot_without_its_journal_is_refused_until_a_person_decides(tmp_path: Path) -> None:
    """Until the first folding the snapshot is empty: alone it would let everybody be written to."""
    _filled(tmp_path, compact_at=1_000_000)
    Layout(tmp_path).journal(0).unlink()

    for _ in range(2):
        with pytest.raises(DamagedFileError, match=r"damaged or missing.*restore a backup, or delete"):
            BlockList(tmp_path).check([alias(1)])
    Layout(tmp_path).incomplete.unlink()
    assert _keys(tmp_path) == []
    BlockList(tmp_path).record([notice(6, buyer=6)])
    assert _keys(tmp_path) == [alias(6)]


def test_a_snapshot_brought_here_alone_keeps_what_it_holds(tmp_path: Path) -> None:
    _filled(tmp_path / "old")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "blocks.json").write_bytes(Layout(tmp_path / "old").snapshot.read_bytes())

    with pytest.raises(DamagedFileError, match="5 entries could still be read"):
        len(BlockList(tmp_path / "new"))
    Layout(tmp_path / "new").incomplete.unlink()
    assert _keys(tmp_path / "new") == [alias(number) for number in range(1, 6)]


def test_the_former_snapshot_alone_is_not_taken_for_a_second_copy(tmp_path: Path) -> None:
    _filled(tmp_path)
    place = Layout(tmp_path)
    for path in (place.snapshot, *map(place.journal, place.journals())):
        path.unlink()

    with pytest.raises(DamagedFileError, match="some may be missing"):
        len(BlockList(tmp_path))


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    _filled(tmp_path)
    snapshot = Layout(tmp_path).snapshot
    newer = snapshot.read_bytes().replace(b"buyerblock-blocks/1", b"buyerblock-blocks/2")
    snapshot.write_bytes(newer)

    with pytest.raises(StorageError, match="newer version"):
        len(BlockList(tmp_path))
    assert snapshot.read_bytes() == newer


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_byte_anywhere_is_never_a_wrong_list(tmp_path: Path, seed: int) -> None:
    """Either the whole list is there, or the list refuses: never a shorter list without a word."""
    chance = random.Random(seed)
    _filled(tmp_path, compact_at=chance.choice([1, 1500, 1_000_000]))
    place = Layout(tmp_path)
    files = [
        place.snapshot,
        *map(place.journal, place.journals()),
        *([place.previous] if place.previous.exists() else []),
    ]
    file = chance.choice(files)
    content = bytearray(file.read_bytes())
    position = chance.randrange(len(content))
    content[position] ^= chance.randrange(1, 256)
    file.write_bytes(content)

    try:
        keys = _keys(tmp_path)
    except DamagedFileError as error:
        assert "restore a backup" in str(error)  # noqa: PT017 - either outcome is right
        assert _aside(tmp_path) == [bytes(content)]
    except StorageError as error:
        assert "newer version" in str(error)  # noqa: PT017 - the byte was the version
    else:
        assert keys == [alias(number) for number in range(1, 6)]
