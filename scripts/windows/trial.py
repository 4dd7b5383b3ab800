"""Try the server without a window and the installer under Wine, as a seller uses them on Windows."""

import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from windows import wine
from worker.operation.service import page_answers

_MAX_WAIT = 60  # seconds
_ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"


def try_commands(folder: Path) -> None:
    """Run commands, and the server as the scheduled task does. folder: with the installed programs."""
    data = {"BUYERBLOCK_DATA_DIR": _empty_folder("commands")}
    wine.run(folder / "buyerblock.exe", "block", _ALIAS, extra=data)
    assert _ALIAS in wine.run(folder / "buyerblock.exe", "export", "--format", "txt", extra=data)

    serve = ("-P", "-m", "oauth_web", "serve", "--no-open", "--log-file")
    port = _free_port()
    first = wine.start(folder / "pythonw.exe", *serve, extra=data | {"BUYERBLOCK_PORT": port})
    try:
        _wait_for(lambda: page_answers(f"http://127.0.0.1:{port}/"), "The page does not answer.")
        log = wine.drive_c() / "commands" / "buyerblock.log"
        assert "starts with these settings" in log.read_text(encoding="utf-8")
        elsewhere = {"BUYERBLOCK_DATA_DIR": _empty_folder("elsewhere"), "BUYERBLOCK_PORT": port}
        with wine.start(folder / "buyerblock.exe", "serve", "--no-open", extra=elsewhere) as second:
            output, _ = second.communicate(timeout=_MAX_WAIT)
        assert "choose another with --port" in output, output
    finally:
        wine.end_all()
        first.communicate()


def try_installer(installer: Path) -> None:
    """Install silently, open the page by the shortcut, call a command, run the demo, uninstall."""
    user = next(it for it in (wine.drive_c() / "users").iterdir() if it.name != "Public") / "AppData"
    program = user / "Local" / "Programs" / "buyerblock"
    data = user / "Local" / "buyerblock"
    shortcut = user / "Roaming" / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "buyerblock.lnk"
    shutil.rmtree(data, ignore_errors=True)
    wine.run(installer, "/S")
    assert shortcut.exists()
    port = _free_port()
    opened = wine.start("start", wine.windows_path(shortcut), extra={"BUYERBLOCK_PORT": port})
    try:
        _wait_for(lambda: page_answers(f"http://127.0.0.1:{port}/"), "The page does not answer.")
    finally:
        wine.end_all()
        opened.communicate()
    assert (data / "buyerblock.log").exists()
    launcher = wine.windows_path(program / "buyerblock.cmd")
    wine.run("cmd", "/c", launcher, "block", _ALIAS)
    assert '"blocks":' in wine.run("cmd", "/c", launcher, "demo", "--once")
    wine.run(program / "uninstall.exe", "/S")
    _wait_for(lambda: not program.exists(), "Something of the program is still there.")
    assert not shortcut.exists()
    assert data.exists()


def _empty_folder(name: str) -> str:
    """Delete a data folder of an earlier run, and return its Windows path."""
    shutil.rmtree(wine.drive_c() / name, ignore_errors=True)
    return f"C:\\{name}"


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


def _wait_for(condition: Callable[[], bool], message: str) -> None:
    ends = time.monotonic() + _MAX_WAIT
    while not condition():
        assert time.monotonic() < ends, message
        time.sleep(0.2)
