"""The commands for copies, and for the address of the list."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from worker.cli.program import commands, run
from worker.database import open_database

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def buyerblock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Return what calls the program: exit code, output and standard error."""
    data_dir = tmp_path / "data"
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(data_dir))
    monkeypatch.setenv("BUYERBLOCK_SECRET_KEY", "k" * 32)
    data_dir.mkdir()
    open_database(data_dir).close()

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["buyerblock", *arguments])
        code = run(commands)
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def test_a_copy_is_added_listed_and_removed(buyerblock: Call, folder: Path) -> None:
    path = folder / "list.csv"
    buyerblock("block", ALIAS, "--note", "by phone")
    code, out, err = buyerblock(
        "publish", "add", "--output", str(path), "--bom", "--search", "phone", "--reason", "manual"
    )
    assert (code, out) == (0, f"{path}  csv-bom, 1 blocked\n")
    assert "rewritten after every change" in err
    assert path.read_bytes().startswith(b"\xef\xbb\xbfaddress,")
    (copy,) = json.loads(buyerblock("publish", "list", "--json")[1])["copies"]
    assert copy.pop("written_at")
    assert copy == {
        "path": str(path),
        "format": "csv-bom",
        "filters": {"reason": "manual", "q": "phone"},
        "blocks": 1,
        "problem": None,
    }
    assert buyerblock("publish", "list")[1].startswith(
        f"{path}  csv-bom, q phone, reason manual, 1 blocked, written"
    )
    assert buyerblock("publish", "remove", str(path))[0] == 0
    assert path.exists()
    assert buyerblock("publish", "remove", str(path))[0] == 2
    assert "There is no copy yet" in buyerblock("publish", "list")[2]


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("data/blocks.csv", "is in the data folder of buyerblock itself"),
        ("shared", "is a folder; name a file in it"),
        ("shared/missing/list.csv", "is missing; make it again, or remove this copy"),
    ],
)
def test_a_copy_that_cannot_be_is_refused_in_one_sentence(
    buyerblock: Call, tmp_path: Path, folder: Path, output: str, sentence: str
) -> None:
    assert folder.exists()
    code, out, err = buyerblock("publish", "add", "--output", str(tmp_path / output))
    assert (code, out, sentence in err) == (2, "", True)
    assert json.loads(buyerblock("publish", "list", "--json")[1]) == {"copies": []}


def test_a_filter_that_makes_no_sense_adds_no_copy(buyerblock: Call, folder: Path) -> None:
    code, _, err = buyerblock("publish", "add", "--output", str(folder / "list.csv"), "--since", "soon")
    assert (code, "'soon' is no time" in err) == (2, True)
    assert json.loads(buyerblock("publish", "list", "--json")[1]) == {"copies": []}


def test_the_token_for_downloads_is_shown_as_a_whole_address(
    buyerblock: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert buyerblock("token", "create", "sheet", "--scope", "download")[1].startswith(
        "http://localhost:8000/blocks.csv?token=buyerblock_"
    )
    monkeypatch.setenv("BUYERBLOCK_PUBLIC_URL", "https://shop.example/blocks")
    assert buyerblock("token", "create", "other", "--scope", "download")[1].startswith(
        "https://shop.example/blocks/blocks.csv?token=buyerblock_"
    )
    assert "sheet  download  made" in buyerblock("token", "list")[1]
