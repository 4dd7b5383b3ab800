"""The description matches the API: requests are made from it, good ones and bad ones, and the answers must fit it."""

import re
from typing import Any

import pytest
import schemathesis
from clocks import FakeClock
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from programs import Program
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig

from oauth_web.api.application import create_api
from oauth_web.api.openapi import DOCUMENT

OPERATIONS = [
    (path, method, mode)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    for mode in GenerationMode
    # Nothing can be wrong with a request that takes nothing.
    if mode is GenerationMode.POSITIVE or {"parameters", "requestBody"} & set(methods[method])
]


@pytest.mark.usefixtures("blocked")
@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_answers_to_any_request_fit_the_description(
    web: Flask, writer: Program, clock: FakeClock, path: str, method: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict({}))
    schema.app = web
    schema.location = "/api/v1/openapi.json"
    # schemathesis does not unpack what it gets.
    headers = {"Authorization": f"Bearer {writer.token}", "Accept-Encoding": "identity"}

    @settings(
        max_examples=25,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    def requests(case: Case[Any]) -> None:
        clock.advance(1)  # how many requests are too many is another test's question
        case.call_and_validate(headers=headers)

    requests()


def test_the_description_lists_every_call_and_no_other(web: Flask) -> None:
    rules = create_api(web).url_map.iter_rules()
    calls = {
        ("/api" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        if rule.rule.startswith("/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert calls == {(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods}


def test_the_description_is_served(reader: Program) -> None:
    assert reader.get("/openapi.json").json == DOCUMENT
