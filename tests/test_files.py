"""A file is replaced whole or not at all, whatever fails."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from worker.errors import StorageError
from worker.files import (
    make_private_directory,
    replace_file,
    sync_file,
    write_atomically,
    write_chunks_atomically,
)


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_the_content_is_replaced(tmp_path: Path) -> None:
    write_atomically(tmp_path / "file", b"old")
    write_atomically(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert _names(tmp_path) == ["file"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits for other users")
def test_only_the_owner_may_read_the_file_or_enter_the_directory(tmp_path: Path) -> None:
    make_private_directory(tmp_path / "a" / "b")
    write_atomically(tmp_path / "a" / "b" / "file", b"secret")

    assert stat.S_IMODE((tmp_path / "a" / "b" / "file").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_failing_step_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "file", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(Path if step == "replace" else os, step, fail)
        with pytest.raises(
            StorageError, match=r"Cannot write .*file: No space left on device; free some space"
        ):
            write_atomically(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"old"
    assert _names(tmp_path) == ["file"]


def test_a_source_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("the source broke")

    write_atomically(tmp_path / "file", b"old")
    with pytest.raises(ValueError, match="the source broke"):
        write_chunks_atomically(tmp_path / "file", chunks())

    assert (tmp_path / "file").read_bytes() == b"old"
    assert _names(tmp_path) == ["file"]


@pytest.mark.parametrize("refuses", [True, False])
def test_macos_is_asked_for_the_drives_own_cache_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    calls: list[str] = []

    def flush(_descriptor: int, command: str) -> int:
        calls.append(command)
        if refuses:
            raise OSError(45, "Operation not supported")
        return 0

    fcntl = SimpleNamespace(F_FULLFSYNC="F_FULLFSYNC", fcntl=flush)
    monkeypatch.setitem(sys.modules, "fcntl", fcntl)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "fsync", lambda _: calls.append("fsync"))
    with (tmp_path / "file").open("wb") as file:
        sync_file(file.fileno())
    assert calls == ["F_FULLFSYNC", "fsync"] if refuses else ["F_FULLFSYNC"]


def test_a_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="Cannot make the directory"):
        make_private_directory(tmp_path / "file" / "below")


def test_a_rename_waits_for_readers_on_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = iter([PermissionError(13, "Access is denied")] * 3)
    rename = Path.replace

    def busy(self: Path, target: Path) -> Path:
        for refusal in refusals:
            raise refusal
        return rename(self, target)

    (tmp_path / "new").write_bytes(b"new")
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("worker.files.time.sleep", lambda _: None)
    monkeypatch.setattr(Path, "replace", busy)
    replace_file(tmp_path / "new", tmp_path / "file")

    assert (tmp_path / "file").read_bytes() == b"new"
