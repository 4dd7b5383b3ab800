"""The API with a program that holds a token, beside the page of the neighbouring tests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from clocks import FakeClock
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from worker.app import App
from worker.block_list.block_list import BlockList
from worker.tokens import Scope, Tokens


@dataclass(frozen=True)
class Program:
    """A program that calls the API."""

    client: FlaskClient
    token: str

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> TestResponse:
        return self.call("POST", path, json=body, **more)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)


@pytest.fixture
def tokens(engine: App) -> Tokens:
    return Tokens(engine.settings.data_dir)


@pytest.fixture
def program(web: Flask, tokens: Tokens, clock: FakeClock) -> Callable[[Scope], Program]:
    """Return a program whose token goes this far."""

    def made(scope: Scope) -> Program:
        return Program(web.test_client(), tokens.create(f"tool that may {scope}", scope, now=clock.now()))

    return made


@pytest.fixture
def reader(program: Callable[[Scope], Program]) -> Program:
    return program("read")


@pytest.fixture
def writer(program: Callable[[Scope], Program]) -> Program:
    return program("write")


@pytest.fixture
def block_list(engine: App) -> BlockList:
    return engine.block_list
