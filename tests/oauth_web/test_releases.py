"""Whether there is a newer version is asked of where the copy was cloned from."""

import shutil
import subprocess
from pathlib import Path

import pytest
from browsing import post
from flask.testing import FlaskClient

from worker.errors import UsageError
from worker.operation.releases import newer_than

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="This machine has no git.")


def git(folder: Path, *command: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(("git", *who, "-C", str(folder), *command), check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a repository with some releases."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet")
    git(origin, "commit", "--quiet", "--allow-empty", "--message", "first")
    for tag in ("v0.2.0", "v0.9.1", "0.10.0", "v1.0.0-rc1", "nightly", "v99"):
        git(origin, "tag", tag)
    git(tmp_path, "clone", "--quiet", str(origin), "clone")
    return tmp_path / "clone"


@pytest.mark.parametrize(
    ("here", "newer"), [("0.2.0", "0.10.0"), ("0.9.1", "0.10.0"), ("0.10.0", None), ("0.11.0.dev1", None)]
)
def test_the_newest_release_is_named_if_it_is_newer(clone: Path, here: str, newer: str | None) -> None:
    assert newer_than(here, clone) == newer


def test_without_an_origin_that_answers_one_sentence_says_so(clone: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "origin")
    with pytest.raises(UsageError, match="does not answer"):
        newer_than("0.2.0", clone)
    with pytest.raises(UsageError, match="not made by"):
        newer_than("0.2.0", tmp_path)


def test_the_page_asks_only_when_it_is_told_to(
    owner: FlaskClient, clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def ask(here: str) -> str | None:
        asked.append(here)
        return newer_than("0.2.0", clone)

    monkeypatch.setattr("oauth_web.pages.releases.newer_than", ask)
    assert "Is there a newer version?" in owner.get("/").text
    assert asked == []
    post(owner, "/newer")
    assert "Version 0.10.0 is there" in owner.get("/").text
