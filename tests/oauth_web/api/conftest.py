"""The API with a program that holds a token, beside the page of the neighbouring tests."""

from collections.abc import Callable

import pytest
from clocks import FakeClock
from flask import Flask
from programs import Program

from worker.app import App
from worker.block_list.block_list import BlockList
from worker.owner.tokens import Scope, Tokens


@pytest.fixture
def tokens(engine: App) -> Tokens:
    return Tokens(engine.database)


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
