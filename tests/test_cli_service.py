"""The commands around the service, backups and restores, as a person calls them."""

import codecs
import os
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import click
import pytest
from folders import block_list_in

from worker.cli.operation import backup, restore, service
from worker.cli.program import run
from worker.cli.secret_file import first_line
from worker.operation.service import SYSTEMS

GROUP = click.Group(commands=[service, backup, restore])
ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
PASSPHRASE = "staple of invented words"

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def call(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """Run a command; return its exit code and its words."""
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(data_dir))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("BUYERBLOCK_PORT", "9")  # where nothing answers

    def called(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["buyerblock", *map(str, arguments)])
        code = run(GROUP)
        words = capsys.readouterr()
        return code, words.out, words.err

    return called


def test_what_was_backed_up_comes_back(call: Call, data_dir: Path, tmp_path: Path) -> None:
    with block_list_in(data_dir) as block_list:
        block_list.block([ALIAS], by="test")
    code, words, _ = call("backup", tmp_path / "saved")
    assert code == 0
    assert "each account signs in again" in words

    with block_list_in(data_dir) as block_list:
        block_list.unblock(ALIAS, by="test")
    code, words, _ = call("restore", tmp_path / "saved")
    assert code == 0
    assert "1 blocks, 0 accounts" in words
    assert str(next(data_dir.glob("restore-*.replaced"))) in words
    with block_list_in(data_dir) as block_list:
        assert [block.key for block in block_list.blocks()] == [ALIAS]


def test_a_passphrase_is_read_from_a_file(call: Call, data_dir: Path, tmp_path: Path) -> None:
    with block_list_in(data_dir) as block_list:
        block_list.block([ALIAS], by="test")
    (tmp_path / "phrase").write_bytes(PASSPHRASE.encode() + b"\r\n")
    code, words, _ = call("backup", tmp_path / "saved", "--passphrase-file", tmp_path / "phrase")
    assert code == 0
    assert "encrypted" in words
    assert ALIAS.encode() not in (tmp_path / "saved").read_bytes()

    code, _, problem = call("restore", tmp_path / "saved")
    assert (code, problem) == (2, f"buyerblock: {tmp_path / 'saved'} is encrypted; give its passphrase.\n")
    assert call("restore", tmp_path / "saved", "--passphrase-file", tmp_path / "phrase")[0] == 0


def test_a_passphrase_file_is_the_same_in_every_encoding_that_editors_write(
    call: Call, data_dir: Path, tmp_path: Path
) -> None:
    phrase = "Stapel erfundener Wörter"
    (tmp_path / "plain").write_text(phrase, encoding="utf-8")
    with block_list_in(data_dir) as block_list:
        block_list.block([ALIAS], by="test")
    assert call("backup", tmp_path / "saved", "--passphrase-file", tmp_path / "plain")[0] == 0
    for encoding in ("utf-8", "utf-8-sig", "utf-16-be", "utf-16"):
        mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
        written = mark + f"{phrase}\r\nsecond line\r\n".encode(encoding)
        assert first_line(BytesIO(written), what="passphrase") == phrase
    (tmp_path / "phrase").write_bytes(written)
    assert call("restore", tmp_path / "saved", "--passphrase-file", tmp_path / "phrase")[0] == 0


def test_a_passphrase_file_that_is_no_text_gets_a_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_bytes(b"W\xf6rter in another encoding")
    code, _, problem = call("backup", tmp_path / "saved", "--passphrase-file", tmp_path / "phrase")
    assert (code, problem) == (2, "buyerblock: The passphrase file is no text; save it as UTF-8.\n")
    assert not (tmp_path / "saved").exists()


def test_a_missing_or_wrong_file_is_one_sentence(call: Call, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"something else")
    code, _, problem = call("restore", tmp_path / "other")
    assert code == 2
    assert problem.count("\n") == 1
    assert "is no backup of buyerblock" in problem
    assert call("restore", tmp_path / "missing")[0] == 2
    assert call("backup", tmp_path / "saved")[0] == 0  # an empty list, made just now


linux = pytest.mark.skipif(sys.platform != "linux", reason="Stand-ins for systemd's programs.")


def programs(folder: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put stand-ins for the system's programs first; return the file in which they note their calls."""
    folder.mkdir()
    for name in ("systemctl", "systemd-run", "loginctl"):
        path = folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{folder}/calls"\necho active\nexit {code}\n')
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin")
    return folder / "calls"


@linux
def test_the_service_is_installed_shown_and_removed(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = programs(tmp_path / "bin", 0, monkeypatch)
    unit = tmp_path / ".config" / "systemd" / "user" / "buyerblock.service"

    assert call("service", "status")[0] == 1
    assert call("service", "install") == (
        0,
        "buyerblock runs as a service; “buyerblock service status” shows how it does.\n",
        "",
    )
    assert '"-m" "oauth_web" "serve" "--no-open"' in unit.read_text()
    code, words, _ = call("service", "status")
    assert (code, words.splitlines()[0]) == (1, "active")
    assert "does not answer at http://localhost:9/" in words
    assert call("service", "uninstall")[0] == 0
    assert not unit.exists()
    assert call("service", "uninstall") == (2, "", "buyerblock: The service is not installed.\n")
    assert "systemctl --user restart buyerblock" in calls.read_text()


@linux
def test_a_system_that_refuses_is_quoted(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", 1, monkeypatch)
    code, _, problem = call("service", "install")
    assert (code, problem) == (2, "buyerblock: “systemctl --user daemon-reload” was refused: active\n")


@pytest.mark.parametrize(("platform", "own_log"), [("linux", False), ("darwin", True), ("win32", True)])
def test_where_the_system_keeps_no_log_the_service_does(
    call: Call, monkeypatch: pytest.MonkeyPatch, platform: str, *, own_log: bool
) -> None:
    monkeypatch.setattr("worker.operation.service.system_of", lambda: SYSTEMS[platform])
    _, words, _ = call("service", "install", "--print")
    assert ("--log-file" in words) == own_log


@linux
def test_printing_writes_nothing(
    call: Call, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "k" * 40
    monkeypatch.setenv("BUYERBLOCK_SECRET_KEY", secret)
    code, words, _ = call("service", "install", "--print")
    assert code == 0
    assert "[Service]" in words
    assert f"BUYERBLOCK_DATA_DIR={data_dir}" in words
    assert secret not in words
    assert list(tmp_path.iterdir()) == []
