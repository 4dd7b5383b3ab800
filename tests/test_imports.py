"""Imports point one way: the page knows the engine, the engine its parts, a part nothing above it."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from worker.database import open_database

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("worker/**/*.py"), *ROOT.glob("oauth_web/**/*.py")])

# From the top down: a module may import from its own row and from those below it.
ROWS = (
    ("oauth_web.__main__", "oauth_web.cli"),
    ("oauth_web.demo",),
    ("oauth_web",),
    ("worker.__main__", "worker.cli"),
    ("worker.host",),
    ("worker.operation",),
    ("worker.notifications",),
    ("worker.app",),
    ("worker.mailbox_pass",),
    ("worker.gate", "worker.mail_files", "worker.owner", "worker.publish", "worker.webhook"),
    ("worker.block_list", "worker.gmail"),
    ("worker.database", "worker.notices"),
    ("worker.sealing",),
    ("worker.clock", "worker.events", "worker.files", "worker.parsing", "worker.settings"),
    ("worker.errors",),
    ("worker.problems",),
    ("worker.sentences",),
    ("oauth_web.demo.sandbox",),
)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room(module: str) -> tuple[int, str] | None:
    matches = [
        (row, name)
        for row, names in enumerate(ROWS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    return max(matches, key=lambda match: len(match[1]), default=None)


def test_a_module_imports_only_from_its_own_row_and_below() -> None:
    for path in SOURCES:
        if (module := module_name(path)) == "worker":
            continue
        here = room(module)
        assert here is not None, f"{module} has no row yet: decide where it belongs"
        for name in imported(path):
            if name.startswith(("worker", "oauth_web")):
                there = room(name)
                assert there is not None, name
                assert there[0] >= here[0], f"{module}: {name} is above"


# The outside libraries, each with the beginnings of the names of the modules that may import it.
ROOMS = {
    ("googleapiclient", "httplib2", "google."): ("worker.gmail",),
    ("tinydb",): (
        "oauth_web.access.pending",
        "worker.block_list",
        "worker.database",
        "worker.mailbox_pass.judged",
        "worker.mailbox_pass.unreadable",
        "worker.notifications.queue",
        "worker.operation.unpacking",
        "worker.owner",
    ),
    ("apprise",): ("worker.notifications.messengers",),
    ("psycopg", "procrastinate"): ("worker.database.postgres", "worker.host"),
    ("olefile",): ("worker.mail_files.outlook",),
    ("xlsxwriter",): ("worker.block_list.formats.workbook",),
    ("apscheduler",): ("worker.mailbox_pass.scheduler",),
    ("aiosmtpd",): ("worker.gate.session",),
    ("flask", "waitress"): ("oauth_web",),
}


@pytest.mark.parametrize(("libraries", "rooms"), ROOMS.items(), ids=str)
def test_each_outside_library_has_one_room(libraries: tuple[str, ...], rooms: tuple[str, ...]) -> None:
    outside = [it for it in SOURCES if not module_name(it).startswith(rooms)]
    assert [it for it in outside if any(name.startswith(libraries) for name in imported(it))] == []


def test_notices_know_nothing_else_of_ours_and_touch_nothing() -> None:
    forbidden = ("oauth_web", "os", "pathlib", "socket", "time", "subprocess", "logging")
    for path in (it for it in SOURCES if "notices" in it.parts):
        for name in imported(path):
            assert not name.startswith("worker") or name.startswith("worker.notices"), f"{path}: {name}"
            assert not name.startswith(forbidden), f"{path}: {name}"


def test_only_the_command_demo_imports_the_demo() -> None:
    outside = [it for it in SOURCES if not module_name(it).startswith(("oauth_web.demo", "oauth_web.cli"))]
    assert [it for it in outside if any(name.startswith("oauth_web.demo") for name in imported(it))] == []


def test_production_never_imports_the_tests_or_the_scripts() -> None:
    for path in SOURCES:
        assert not {name.split(".")[0] for name in imported(path)} & {"tests", "scripts"}, path


def test_the_program_of_one_seller_loads_nothing_of_a_host(tmp_path: Path) -> None:
    open_database(tmp_path).close()
    done = subprocess.run(
        [
            sys.executable,
            "-X",
            "importtime",
            "-m",
            "worker",
            "check",
            "buyer0000000001@marketplace.amazon.it",
        ],
        env=os.environ | {"BUYERBLOCK_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "worker.database.sqlite" in done.stderr) == (0, True), done.stderr
    for name in ("psycopg", "procrastinate", "worker.database.postgres"):
        assert name not in done.stderr


def test_a_server_keeps_no_library_in_memory_that_only_a_mailbox_or_a_rare_page_needs() -> None:
    code = "import sys, oauth_web.server; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    rare = {
        "aiosmtpd",
        "apprise",
        "google",
        "googleapiclient",
        "httplib2",
        "markdown_it",
        "oauthlib",
        "olefile",
    }
    rare |= {"prometheus_client", "requests", "rich", "selectolax", "tenacity", "urllib3", "xlsxwriter"}
    assert rare.isdisjoint(done.stdout.split())


def test_the_program_of_one_seller_installs_nothing_of_a_host() -> None:
    for lock, holds in (("requirements", False), ("requirements-host", True), ("requirements-dev", True)):
        packages = {it.partition("==")[0] for it in (ROOT / f"{lock}.lock").read_text().splitlines()}
        assert {it in packages for it in ("psycopg", "psycopg-binary", "psycopg-pool", "procrastinate")} == {
            holds
        }
