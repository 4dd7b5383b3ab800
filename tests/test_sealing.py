import os
import stat
from pathlib import Path

import pytest

from worker.errors import StorageError
from worker.sealing import Sealer, UnsealError, open_sealer


def test_what_is_sealed_can_be_opened_with_the_same_key_only() -> None:
    sealed = Sealer("k" * 32).seal("secret")
    assert "secret" not in sealed
    assert Sealer("k" * 32).unseal(sealed) == "secret"
    with pytest.raises(UnsealError):
        Sealer("x" * 32).unseal(sealed)


def test_a_changed_seal_is_noticed() -> None:
    sealed = Sealer("k" * 32).seal("secret")
    with pytest.raises(UnsealError):
        Sealer("k" * 32).unseal(sealed[:-4] + "AAA=")


def test_keys_for_different_purposes_differ() -> None:
    sealer = Sealer("k" * 32)
    assert sealer.derived(b"cookies") != sealer.derived(b"sealing")
    assert len(sealer.derived(b"cookies")) == 32


def test_the_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    sealed = open_sealer(tmp_path, None).seal("secret")
    assert open_sealer(tmp_path, None).unseal(sealed) == "secret"
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_key_from_the_environment_leaves_no_file(tmp_path: Path) -> None:
    open_sealer(tmp_path, "k" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"too short"])
def test_a_damaged_key_file_gets_one_sentence_and_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret.key").write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        open_sealer(tmp_path, None)
    assert (tmp_path / "secret.key").read_bytes() == content
