"""The examples that developers of tools are given are run as they are."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from folders import block_list_in
from serving import environment_for, page_of, serving

from oauth_web.demo.sandbox import Sandbox

EXAMPLES = (Path(__file__).parents[1] / "oauth_web" / "help" / "tools.md").read_text(encoding="utf-8")
BLOCKED = "406-1234508-7654301"
FREE = "k4q8z1x7c3v9b2n@marketplace.amazon.it"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The environment of a tool with a token, beside a server with one blocked buyer."""
    folder = tmp_path_factory.mktemp("examples")
    with block_list_in(folder) as block_list:
        block_list.block([BLOCKED], by="test")
    with Sandbox() as google:
        environment = environment_for(google, folder)
        with serving(environment):
            command = [sys.executable, "-m", "oauth_web", "token", "create", "tool"]
            made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            yield environment | {"TOKEN": made.stdout.strip(), "PATH": path}


def run(environment: Mapping[str, str], language: str, *command: str) -> str:
    """Run the example in a language that asks over HTTP, at the server's own address; return what it prints."""
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        pytest.skip(f"This machine has no {command[0]}.")
    found = re.findall(rf"^```{language}\n(.*?)^```", EXAMPLES, re.DOTALL | re.MULTILINE)
    example = next(it for it in found if "/api/v1/" in it).replace(
        "http://localhost:8000", page_of(environment)
    )
    return subprocess.run(
        [program, *command[1:], example],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


@pytest.mark.skipif(os.name != "posix", reason="This example is for a POSIX shell.")
def test_the_shell_makes_a_token_and_asks(server: Mapping[str, str]) -> None:
    printed = run(server, "sh", "sh", "-e", "-c")
    assert f'"key":"{BLOCKED}","blocked":true' in printed
    assert '"allowed":false' in printed


@pytest.mark.parametrize(
    ("language", "command"),
    [("python", (sys.executable, "-c")), ("js", ("node", "--input-type=module", "-e"))],
)
def test_a_tool_learns_whom_it_may_write_to(
    server: Mapping[str, str], language: str, command: tuple[str, ...]
) -> None:
    printed = run(server, language, *command)
    assert printed.splitlines() == [f"{FREE} may be written to", f"{BLOCKED} must not be written to"]
