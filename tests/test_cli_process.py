"""The program as a process: streams that are closed, readers that leave, and Ctrl-C at any moment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from folders import block_list_in

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no shell and no SIGINT of this kind there")

BLOCKED = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
FREE = "f4q8z1x7c3v9b2n@marketplace.amazon.it"

Shell = Callable[[str], subprocess.CompletedProcess[str]]

# Starts the program, and sends it SIGINT as soon as the named module is looked for.
AT_IMPORT = """
import os, signal, sys
wanted = sys.argv.pop(1)
class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
from oauth_web.__main__ import main
sys.exit(main())
"""

# Says when the program has begun: what comes before is Python's own start.
BEGUN = """
import os, sys
class Telling:
    def find_spec(name, path=None, target=None):
        if name == "oauth_web.cli":
            os.write(2, b".")
sys.meta_path.insert(0, Telling)
from oauth_web.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"BUYERBLOCK_DATA_DIR": str(tmp_path / "data"), "BUYERBLOCK_SECRET_KEY": "k" * 32}


@pytest.fixture
def shell(environment: dict[str, str], tmp_path: Path) -> Shell:
    """Run a line of bash in which ``buyerblock`` is the program, with one blocked buyer."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        words = f'buyerblock() {{ "{sys.executable}" -m oauth_web "$@"; }}; set -o pipefail; {line}'
        command = ["bash", "-c", words]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    with block_list_in(tmp_path / "data") as blocks:
        blocks.block([BLOCKED], by="test")
    return run


@pytest.mark.parametrize(
    "command", ["export", "audit", "status --json", f"check {FREE}", "token list --help"]
)
def test_an_answer_for_a_closed_standard_output_is_an_error_in_one_sentence(
    shell: Shell, command: str
) -> None:
    said = shell(f"buyerblock {command} >&-")
    assert said.returncode == 2
    assert said.stderr == "buyerblock: Cannot write the answer: standard output is closed.\n"


def test_what_is_read_from_a_closed_standard_input_is_an_error_in_one_sentence(shell: Shell) -> None:
    said = shell("buyerblock import - <&-")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)


def test_without_standard_error_the_exit_code_still_tells(shell: Shell, tmp_path: Path) -> None:
    assert shell("buyerblock check nobody 2>&-").returncode == 2
    (tmp_path / "x.eml").write_text("Subject: hello\n\nhello\n")
    assert shell(f"buyerblock scan {tmp_path}/x.eml 2>&- >/dev/null").returncode == 0


@pytest.mark.parametrize("command", ["export", "audit", f"check {FREE}", f"check {BLOCKED}"])
def test_a_reader_that_has_gone_gets_no_traceback_and_no_exit_code_that_says_blocked_or_not(
    shell: Shell, command: str
) -> None:
    said = shell(f"buyerblock {command} | true")
    assert (said.returncode, said.stderr) == (141, "")


def test_a_passphrase_is_not_asked_for_where_nobody_can_type_it(shell: Shell, tmp_path: Path) -> None:
    said = shell(f"buyerblock backup --ask-passphrase {tmp_path}/saved </dev/null")
    assert (said.returncode, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    assert "--passphrase-file" in said.stderr
    assert not (tmp_path / "saved").exists()


@pytest.mark.parametrize(
    "module",
    [
        "oauth_web.cli",
        "click",
        "worker.cli.program",
        "worker.settings",
        "worker.block_list",
        "worker.database.sqlite",
    ],
)
def test_ctrl_c_while_something_is_imported_ends_without_a_traceback(
    environment: dict[str, str], module: str
) -> None:
    command = [sys.executable, "-c", AT_IMPORT, module, "block", BLOCKED]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stdout, said.stderr.strip()) == (130, "", "")


@pytest.mark.parametrize("milliseconds", [0, 5, 10, 20, 40, 60, 80, 100])
def test_ctrl_c_in_the_first_tenth_of_a_second_ends_without_a_traceback(
    environment: dict[str, str], milliseconds: int
) -> None:
    command = [sys.executable, "-c", BEGUN, "serve", "--no-open", "--port", "1"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as program:
        assert program.stderr is not None
        assert program.stderr.read(1) == b"."
        time.sleep(milliseconds / 1000)
        program.send_signal(signal.SIGINT)
        try:
            said = program.communicate(timeout=60)[1].decode()
        finally:
            program.kill()
    assert program.returncode == 130
    assert "Traceback" not in said


def test_a_sigint_that_is_ignored_stays_ignored(environment: dict[str, str]) -> None:
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + AT_IMPORT
    command = [sys.executable, "-c", ignoring, "click", "block", BLOCKED]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (said.returncode, said.stderr) == (0, "")
