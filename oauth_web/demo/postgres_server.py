"""A PostgreSQL server for the demo and the tests: in a temporary folder, with a Unix socket there, without fsync."""

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SETTINGS = "-F -c listen_addresses='' -c full_page_writes=off -c autovacuum=off"


def programs() -> Path | None:
    """Return the folder with PostgreSQL's programs, which is not in PATH on Debian; None if there is none."""
    if os.name != "posix":  # under Wine, Windows programs can see Debian's folders
        return None
    found = shutil.which("initdb")
    newest = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda it: int(it.parts[-3]))
    return Path(found).parent if found else newest[-1].parent if newest else None


class Server:
    """A server and its folder. PostgreSQL refuses to run as root, so root runs it as the user postgres."""

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self._folder = folder
        self._bin = bin_folder
        self._run(
            "initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--username=owner", "--locale=C.UTF-8"
        )

    def url(self, name: str = "postgres") -> str:
        """Return the connection string of a database."""
        return f"host={self._folder} dbname={name} user=owner"

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        log = self._folder / "log"
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(log), "-o", f"{_SETTINGS} -k {self._folder}")

    def stop(self) -> None:
        """Stop the server at once, like a power failure."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._bin / program), "-D", str(self._folder / "data"), *arguments]
        if getpass.getuser() == "root":
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)


@contextmanager
def running(bin_folder: Path) -> Iterator[Server]:
    """Run a server until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        if getpass.getuser() == "root":
            shutil.chown(folder, "postgres")
        server = Server(Path(folder), bin_folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
