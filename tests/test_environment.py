"""The set-up of ``.venv``: when it is made, what is there when it fails or is killed, and what a person is told."""

import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import IO

import pytest

import environment
import installing

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout with lock files but without .venv; returns the lock files that get installed there."""
    copy_locks(tmp_path)
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    installed: list[str] = []

    def build(folder: Path, lock: Path, _project: Path) -> None:
        python = installing.python_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o700)
        (folder / "pyvenv.cfg").touch()
        python.with_name("buyerblock").write_text(f"#!{python}\n", encoding="utf-8")
        installed.append(lock.name)

    monkeypatch.setattr(installing, "build", build)
    return installed


def copy_locks(folder: Path) -> None:
    for name in (*environment.LOCKS.values(), "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())


def change_a_lock() -> None:
    with (environment.ROOT / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("\n")


def go_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(folder: Path, *_: Path) -> None:
        folder.mkdir(exist_ok=True)
        raise installing.explain("Failed to establish a new connection")

    monkeypatch.setattr(installing, "build", build)


def test_a_missing_venv_is_made_once(checkout: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    python = environment.ensure()
    assert environment.ensure() == python
    assert checkout == ["requirements.lock"]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1


def test_a_changed_lock_file_makes_it_anew(checkout: list[str]) -> None:
    environment.ensure()
    change_a_lock()
    environment.ensure()
    assert len(checkout) == 2


@pytest.mark.parametrize("kind", ["host", "dev"])
def test_one_that_holds_more_serves_to_run_but_not_the_other_way_round(
    checkout: list[str], kind: str
) -> None:
    environment.ensure(kind)
    environment.ensure("run")
    assert checkout == [environment.LOCKS[kind]]


@pytest.mark.parametrize("kind", ["host", "dev"])
def test_one_made_to_run_is_replaced_by_one_that_holds_more(checkout: list[str], kind: str) -> None:
    environment.ensure("run")
    environment.ensure(kind)
    assert checkout == ["requirements.lock", environment.LOCKS[kind]]


def test_each_lock_file_holds_what_those_before_it_hold() -> None:
    pins = [
        {line.split()[0] for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if "==" in line}
        for name in environment.LOCKS.values()
    ]
    assert all(fewer <= more for fewer, more in itertools.pairwise(pins))


def test_a_moved_checkout_is_set_up_anew(
    checkout: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment.ensure()
    moved = tmp_path / "moved"
    shutil.copytree(tmp_path / ".venv", moved / ".venv")
    copy_locks(moved)
    monkeypatch.setattr(environment, "ROOT", moved)
    environment.ensure()
    assert len(checkout) == 2


@pytest.mark.usefixtures("checkout")
def test_its_programs_name_the_place_where_they_end_up() -> None:
    python = Path(environment.ensure())
    assert python.with_name("buyerblock").read_text(encoding="utf-8") == f"#!{python}\n"


def test_a_failed_set_up_says_what_to_do_and_is_tried_again(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as offline:
        go_offline(offline)
        with pytest.raises(SystemExit, match="internet connection"):
            environment.ensure()
    assert not (environment.ROOT / environment.NEW).exists()
    environment.ensure()
    assert checkout == ["requirements.lock"]


@pytest.mark.usefixtures("checkout")
def test_a_failed_set_up_leaves_the_old_one_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(environment.ensure())
    change_a_lock()
    go_offline(monkeypatch)
    with pytest.raises(SystemExit, match="internet connection"):
        environment.ensure()
    assert python.exists()


@pytest.mark.usefixtures("checkout")
def test_a_new_one_that_the_system_holds_leaves_the_old_one_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    python = Path(environment.ensure())
    change_a_lock()
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name == environment.NEW:
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    with monkeypatch.context() as held:
        held.setattr(Path, "rename", refuse)
        with pytest.raises(SystemExit, match="End buyerblock"):
            environment.ensure()
        assert python.exists()
    environment.ensure()
    assert not (environment.ROOT / environment.NEW).exists()


@pytest.mark.usefixtures("checkout")
@pytest.mark.skipif(os.name == "nt", reason="its Python is a shell script here")
def test_another_python_without_a_network_goes_on_with_the_one_that_works(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    python = environment.ensure()
    monkeypatch.setattr(sys, "version", "3.99")
    go_offline(monkeypatch)
    assert environment.ensure() == python
    assert "Until then" in capsys.readouterr().err
    Path(python).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="internet connection"):
        environment.ensure()


class Killed(BaseException):
    """Stands for the end of the process: nothing in the program catches it."""


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("steps", range(9))
@pytest.mark.parametrize("then", [lambda: None, change_a_lock], ids=["run-again", "updated-again"])
def test_killed_between_any_two_steps_it_leaves_one_that_works(
    monkeypatch: pytest.MonkeyPatch, then: Callable[[], None], steps: int
) -> None:
    environment.ensure()
    change_a_lock()
    left = iter(range(steps))

    def until_killed(work: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            if next(left, None) is None:
                raise Killed
            return work(*arguments, **options)

        return step

    with monkeypatch.context() as doomed:
        for owner, name in (
            (Path, "rename"),
            (Path, "write_bytes"),
            (Path, "write_text"),
            (shutil, "rmtree"),
        ):
            doomed.setattr(owner, name, until_killed(getattr(owner, name)))
        with pytest.raises(Killed):
            environment.ensure()

    then()
    with monkeypatch.context() as offline:
        go_offline(offline)
        try:
            python = environment.ensure()
        except SystemExit:
            python = str(installing.python_of(environment.ROOT / ".venv"))
    assert Path(python).exists()
    assert environment.ensure() == python
    assert Path(python).with_name("buyerblock").read_text(encoding="utf-8") == f"#!{python}\n"
    change_a_lock()
    environment.ensure()
    assert not (environment.ROOT / environment.NEW).exists()
    assert not (environment.ROOT / environment.OLD).exists()


def test_two_set_ups_at_once_wait_for_each_other(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, waiting = threading.Event(), threading.Event()
    build, locked = installing.build, environment._locked

    def slow_build(folder: Path, lock: Path, project: Path) -> None:
        begun.set()
        assert waiting.wait(60)
        build(folder, lock, project)

    def tell_of_waiting(file: IO[str], *, wait: bool) -> bool:
        if wait:
            waiting.set()
        return locked(file, wait=wait)

    monkeypatch.setattr(installing, "build", slow_build)
    monkeypatch.setattr(environment, "_locked", tell_of_waiting)
    first = threading.Thread(target=environment.ensure)
    first.start()
    assert begun.wait(60)
    environment.ensure()
    first.join(60)
    assert checkout == ["requirements.lock"]


@pytest.mark.usefixtures("checkout")
@pytest.mark.skipif(os.name == "nt", reason="Windows gives a lock up with the process that took it")
def test_a_killed_set_up_keeps_others_waiting_until_its_pip_has_ended() -> None:
    begun, begin = os.pipe()
    pip = f"import os, sys; os.write({begin}, b'.'); sys.stdin.read()"
    program = (
        f"import pathlib, sys, environment, installing; environment.ROOT = pathlib.Path({str(environment.ROOT)!r})\n"
        f"with environment._exclusive_lock(): installing._call([sys.executable, '-c', {pip!r}], {{}})"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=SCRIPTS, stdin=subprocess.PIPE, pass_fds=[begin]) as killed:
        os.close(begin)
        assert os.read(begun, 1)
        killed.kill()
        killed.wait()
        with (environment.ROOT / ".venv.lock").open("a", encoding="utf-8") as file:
            assert not environment._locked(file, wait=False)
            assert killed.stdin is not None
            killed.stdin.close()
            assert environment._locked(file, wait=True)
    os.close(begun)


@pytest.mark.usefixtures("checkout")
def test_a_folder_that_may_not_be_written_says_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, *_: Path) -> None:
        raise PermissionError(13, "Keine Berechtigung", str(folder))

    monkeypatch.setattr(installing, "build", refuse)
    with pytest.raises(SystemExit, match="your home folder"):
        environment.ensure()


def test_without_the_venv_module_it_says_what_to_install(
    checkout: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match="python3-venv"):
        environment.ensure()
    assert checkout == []


def test_variables_for_another_python_do_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    assert environment.run_command(sys.executable, "-c", "import sys; sys.exit('/nowhere' in sys.path)") == 0


def test_the_lock_files_pin_everything_by_hash_and_name_no_index() -> None:
    for name in environment.LOCKS.values():
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert all("==" in pin for pin in pins)
        assert text.count("--hash=sha256:") >= len(pins)
        assert "://" not in text


def test_set_up_uses_the_standard_library_only() -> None:
    for script in ("run.py", "test.py", "demo.py", "host.py"):
        code = f"import sys; sys.path.insert(0, 'scripts'); import runpy; runpy.run_path('scripts/{script}')"
        subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, check=True)


@cache
def old_pythons() -> list[Path]:
    """Return the Pythons of this machine that are too old: those beside its own, as pyenv keeps them, and on PATH."""
    beside = sorted(Path(sys.base_prefix).parent.glob("*/bin/python"))
    found = [Path(path) for minor in range(11) if (path := shutil.which(f"python3.{minor}"))]
    ask = "import sys; sys.exit(sys.version_info < (3, 11))"
    return [
        python
        for python in [*beside, *found]
        if subprocess.run([python, "-c", ask], check=False).returncode == 1
    ]


@pytest.mark.parametrize("script", ["run.py", "demo.py", "test.py", "host.py"])
def test_an_old_python_says_which_one_is_needed(script: str) -> None:
    pythons = old_pythons()
    if not pythons:
        pytest.skip("no Python older than 3.11 here")
    for python in pythons:
        # -B: Python 2 would leave compiled files beside the scripts.
        tried = subprocess.run([python, "-B", SCRIPTS / script], capture_output=True, text=True, check=False)
        assert tried.returncode == 1
        assert tried.stderr.startswith("buyerblock needs Python 3.11 or later")
        assert tried.stderr.count("\n") == 1
