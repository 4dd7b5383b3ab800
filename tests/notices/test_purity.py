"""The package keeps its promise: no input or output, no clock, nothing else of ours."""

import ast
from pathlib import Path

import pytest

from worker import notices

FILES = sorted(Path(notices.__file__).parent.glob("*.py"))
FORBIDDEN = {
    "os",
    "sys",
    "io",
    "pathlib",
    "socket",
    "subprocess",
    "time",
    "random",
    "logging",
    "tempfile",
    "threading",
}


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_imports_nothing_of_ours_but_itself_and_nothing_that_acts(file: Path) -> None:
    names = imported(file)
    ours = {name for name in names if name.split(".")[0] in {"worker", "oauth_web", "sandbox"}}
    assert all(name.startswith("worker.notices") for name in ours)
    assert not {name.split(".")[0] for name in names} & FORBIDDEN


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_opens_no_file_and_asks_no_clock(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in {"open", "print", "now", "utcnow", "today", "input", "exec", "eval"}
