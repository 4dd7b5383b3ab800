"""A data directory, its backup, and another machine."""

from pathlib import Path

import pytest
from saving import EMAIL, GRANT, NOW, PASSPHRASE, accounts_of, block, fill

from worker.operation.backup import backup


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return fill(tmp_path / "data dir")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "another machine"


@pytest.fixture
def saved(data_dir: Path, tmp_path: Path) -> Path:
    backup(data_dir, tmp_path / "saved", now=NOW)
    return tmp_path / "saved"


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sealed")
    block(folder / "data", 7)
    with accounts_of(folder / "data") as accounts:
        accounts.connect(EMAIL, GRANT, now=NOW)
    backup(folder / "data", folder / "saved", PASSPHRASE, now=NOW)
    return folder / "saved"
