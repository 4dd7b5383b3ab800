"""The set-up of ``.venv``: when it is made, and what a person is told."""

import subprocess
import sys
from pathlib import Path

import pytest

import environment

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout with lock files but without .venv; returns the kinds that get installed there."""
    for name in (*environment.LOCKS.values(), "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "installed-from")
    installed: list[str] = []

    def call(*arguments: str) -> None:
        if "venv" in arguments:
            python = tmp_path / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()
        elif "--require-hashes" in arguments:
            installed.append(Path(arguments[-1]).name)

    monkeypatch.setattr(environment, "_call", call)
    return installed


def test_a_missing_venv_is_made_once(checkout: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    python = environment.ensure()
    assert environment.ensure() == python
    assert checkout == ["requirements.lock"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_a_changed_lock_file_makes_it_anew(checkout: list[str]) -> None:
    environment.ensure()
    with (environment.ROOT / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("\n")
    environment.ensure()
    assert len(checkout) == 2


def test_one_made_for_development_serves_to_run_but_not_the_other_way_round(checkout: list[str]) -> None:
    environment.ensure("dev")
    environment.ensure("run")
    assert checkout == ["requirements-dev.lock"]


def test_one_made_to_run_is_replaced_for_development(checkout: list[str]) -> None:
    environment.ensure("run")
    environment.ensure("dev")
    assert checkout == ["requirements.lock", "requirements-dev.lock"]


def test_a_moved_checkout_is_set_up_anew(
    checkout: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.ensure()
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in (*environment.LOCKS.values(), "pyproject.toml"):
        (moved / name).write_bytes((tmp_path / name).read_bytes())
    monkeypatch.setattr(environment, "ROOT", moved)
    environment.ensure()
    assert len(checkout) == 2


def test_a_failed_installation_says_what_to_do_and_is_tried_again(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = environment._call

    def fail(*arguments: str) -> None:
        if "--require-hashes" in arguments:
            raise subprocess.CalledProcessError(1, arguments)
        works(*arguments)

    monkeypatch.setattr(environment, "_call", fail)
    with pytest.raises(SystemExit, match="internet connection"):
        environment.ensure()
    monkeypatch.setattr(environment, "_call", works)
    environment.ensure()
    assert checkout == ["requirements.lock"]


def test_without_the_venv_module_it_says_what_to_install(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match="python3-venv"):
        environment.ensure()
    assert checkout == []


def test_the_lock_files_pin_everything_by_hash_and_name_no_index() -> None:
    for name in environment.LOCKS.values():
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in pin for pin in pins)
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_set_up_uses_the_standard_library_only() -> None:
    for script in ("environment.py", "run.py", "test.py", "demo.py"):
        code = f"import sys; sys.path.insert(0, 'scripts'); import runpy; runpy.run_path('scripts/{script}')"
        subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, check=True)
