"""A client that a generator makes of the description works."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from flask import Flask
from programs import Program

from oauth_web.api.openapi import DOCUMENT


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the generated package; a warning would be an error."""
    description = tmp_path / "openapi.json"
    description.write_bytes(orjson.dumps(DOCUMENT))
    target = tmp_path / "generated_client"
    command = (
        sys.executable,
        "-m",
        "openapi_python_client",
        "generate",
        "--meta",
        "none",
        "--fail-on-warning",
    )
    # It calls the formatter by its name.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made = subprocess.run(
        [*command, "--path", str(description), "--output-path", str(target)],
        env=os.environ | {"PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return target.name


def test_a_generated_client_asks_blocks_and_lists(generated: str, web: Flask, writer: Program) -> None:
    def part(name: str) -> Any:
        return importlib.import_module(f"{generated}.{name}")

    models = part("models")
    client = part("client").AuthenticatedClient(
        base_url="http://localhost",
        token=writer.token,
        httpx_args={"transport": httpx.WSGITransport(app=web)},
    )
    key = "406-1234508-7654301"
    done = part("api.blocks.block_buyers").sync(
        client=client, body=models.BlockRequest(keys=[key], note="by hand")
    )
    assert [it.status.value for it in done.results] == ["blocked"]
    asked = part("api.blocks.check_buyers").sync(
        client=client, body=models.CheckRequest(keys=[key, "nonsense"])
    )
    assert [(it.blocked, bool(it.problem)) for it in asked.results] == [(True, False), (None, True)]
    page = part("api.blocks.list_blocks").sync(client=client, limit=10)
    assert [(it.orders, it.note) for it in page.blocks] == [([key], "by hand")]
    assert page.next_cursor is None
    missing = part("api.blocks.get_block").sync(client=client, key="902-0000000-0000000")
    assert (missing.status, missing.title) == (404, "Not Found")
