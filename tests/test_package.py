"""buyerblock as a package: the wheel, installed where neither the checkout nor a network can be reached."""

import json
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from oauth_web.demo.demonstration import NEWS_ONCE
from oauth_web.demo.mailboxes import ACCOUNTS, SELLER, news, old_mail

ROOT = Path(__file__).parent.parent
PACKAGES = ("worker", "oauth_web")
NO_CACHES = shutil.ignore_patterns("__pycache__")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves files beside what it builds, and takes up those of last time."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=NO_CACHES)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, source)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(built), str(source))
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def buyerblock(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment with the wheel in it; its dependencies are those of the tests."""
    venv = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    scripts = venv / ("Scripts" if os.name == "nt" else "bin")
    pip("--python", str(scripts / "python"), "install", "--no-deps", str(wheel))
    # As a line of a .pth file a folder does not bring along its own .pth files, such as that of the checkout.
    site_packages = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return scripts / "buyerblock"


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True, env=environment() | {"PIP_NO_INDEX": "1"})


def environment() -> dict[str, str]:
    """The environment without what leads to the checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP"))}


def run(command: Path, *arguments: str, folder: Path) -> str:
    return subprocess.run(
        [command, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=folder,
        env=environment(),
    ).stdout


def test_the_wheel_holds_every_file_of_both_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for name in PACKAGES for path in (ROOT / name).rglob("*") if path.is_file())
    assert held == {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}


def test_installed_it_names_its_commands(buyerblock: Path, tmp_path: Path) -> None:
    said = run(buyerblock, "--help", folder=tmp_path)
    assert "serve" in said
    assert "demo" in said


def test_installed_it_shows_the_demo(buyerblock: Path, tmp_path: Path) -> None:
    blocks = json.loads(run(buyerblock, "demo", "--once", folder=tmp_path))["blocks"]
    assert {block["address"] or block["orders"][0] for block in blocks} == keys_in_the_mail()
    assert {account for block in blocks for account in block["accounts"]} == set(ACCOUNTS)
    assert {"by alias", "by order"} == {"by alias" if block["address"] else "by order" for block in blocks}
    assert list(tmp_path.iterdir()) == []


def keys_in_the_mail() -> set[str]:
    now, chance = datetime(2026, 11, 23, tzinfo=UTC), random.Random(0)
    new = (news(chance, now, number, SELLER) for number in range(NEWS_ONCE))
    return {delivery.key for delivery in (*old_mail(now), *new) if delivery.key}
