"""The gate on the page: set up, its password shown once, tested, and what it refused."""

import socket
import threading
from collections.abc import Iterator

import pytest
from browsing import post
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oauth_web.services import Services
from worker.app import App
from worker.errors import UsageError
from worker.gate.record import GateRecord
from worker.gate.settings import GateSettings, StoredGate
from worker.sealing import Sealer

FORM = {
    "upstream": "smtp.example.com",
    "upstream_port": "465",
    "tls": "implicit",
    "user": "shop@seller.example",
    "password": "of the real server",
    "port": "2525",
    "enabled": "on",
}


def stored(engine: App) -> GateSettings:
    return StoredGate(engine.database, engine.sealer).existing()


def secret_in(answer: TestResponse) -> str:
    return answer.text.partition('<code id="secret">')[2].partition("<")[0]


def test_the_gate_is_set_up_and_its_password_is_shown_once(owner: FlaskClient, engine: App) -> None:
    assert "A mail server on this computer" in owner.get("/settings/gate").text
    answer = post(owner, "/settings/gate", **FORM)
    assert answer.status_code == 200
    assert stored(engine).enabled
    assert stored(engine).accepts_login(b"buyerblock", secret_in(answer).encode())
    page = owner.get("/settings/gate").text
    assert "127.0.0.1" in page
    assert secret_in(answer) not in page
    assert FORM["password"] not in page


def test_a_password_stays_for_the_same_server_only(owner: FlaskClient, engine: App) -> None:
    post(owner, "/settings/gate", **FORM)
    tools = stored(engine).tool_hash
    assert post(owner, "/settings/gate", **FORM | {"password": "", "port": "2526"}).status_code == 303
    assert (stored(engine).port, stored(engine).upstream_password) == (2526, FORM["password"])
    for change in ({"upstream": "other.example.com"}, {"user": "other"}):
        assert post(owner, "/settings/gate", **FORM | {"password": ""} | change).status_code == 400
    assert stored(engine).upstream == "smtp.example.com"
    assert stored(engine).tool_hash == tools


def test_what_only_the_command_sets_stays(owner: FlaskClient, engine: App) -> None:
    StoredGate(engine.database, engine.sealer).save(
        GateSettings(
            host="0.0.0.0", certificate="gate.pem", key="gate.key", upstream="a.example", upstream_port=1
        )
    )
    post(owner, "/settings/gate", **FORM)
    assert (stored(engine).host, stored(engine).certificate, stored(engine).key) == (
        "0.0.0.0",
        "gate.pem",
        "gate.key",
    )


@pytest.mark.parametrize(
    "change",
    [{"port": "0"}, {"port": "x"}, {"tls": "maybe"}, {"tls": "none"}, {"upstream": ""}, {"user": ""}],
)
def test_settings_that_will_not_do_are_refused(
    owner: FlaskClient, engine: App, change: dict[str, str]
) -> None:
    answer = post(owner, "/settings/gate", **FORM | change)
    assert answer.status_code == 400
    assert 'aria-invalid="true"' in answer.text
    assert f'value="{(FORM | change)["port"]}"' in answer.text
    assert FORM["password"] not in answer.text
    with pytest.raises(UsageError):
        stored(engine)


def test_it_is_switched_off(owner: FlaskClient, engine: App) -> None:
    post(owner, "/settings/gate", **FORM)
    post(owner, "/settings/gate", **{name: value for name, value in FORM.items() if name != "enabled"})
    assert not stored(engine).enabled


def test_a_new_password_is_shown_once(owner: FlaskClient, engine: App) -> None:
    first = secret_in(post(owner, "/settings/gate", **FORM))
    second = secret_in(post(owner, "/settings/gate/password"))
    assert stored(engine).accepts_login(b"buyerblock+marked", second.encode())
    assert not stored(engine).accepts_login(b"buyerblock", first.encode())


@pytest.fixture
def greeted() -> Iterator[int]:
    """A mail server that has had enough; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            other, _ = listener.accept()
            with other:
                other.sendall(b"554 5.3.2 no <b>mail</b> today\r\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_the_real_server_is_tried_out(owner: FlaskClient, greeted: int) -> None:
    change = {"upstream": "localhost", "upstream_port": str(greeted), "tls": "none"}
    post(owner, "/settings/gate", **FORM | change)
    post(owner, "/settings/gate/test")
    assert (
        "The test failed: localhost refuses the gate: 554 5.3.2 no &lt;b&gt;mail&lt;/b&gt; today"
        in owner.get("/settings/gate").text
    )


def test_the_page_shows_who_was_refused_lately(owner: FlaskClient, engine: App, blocked: str) -> None:
    post(owner, "/settings/gate", **FORM)
    record = GateRecord(engine.database)
    record.count("sent", 1234)
    record.refused(blocked, engine.clock.now())
    record.problem("The port is taken.")
    record.flush()
    page = owner.get("/settings/gate").text
    assert "Sent so far: 1,234 recipients. Refused: 1." in page
    assert f"key={blocked.replace('@', '%40')}" in page or f"/block?key={blocked}" in page
    assert "The port is taken." in page
    post(owner, "/settings/gate", **FORM)
    assert "The port is taken." not in owner.get("/settings/gate").text


def test_settings_that_cannot_be_read_leave_the_others_usable(
    owner: FlaskClient, engine: App, services: Services
) -> None:
    engine.database.documents("gate").put({"settings": {"host": 7}})
    assert owner.get("/settings/gate").status_code == 200
    assert services.tokens.all() == []
    assert post(owner, "/settings/gate", **FORM).status_code == 200
    assert stored(engine).enabled


def test_settings_sealed_by_another_key_are_replaced(owner: FlaskClient, engine: App) -> None:
    StoredGate(engine.database, Sealer("the key of another machine")).save(
        GateSettings(upstream="a.example", upstream_port=465, upstream_user="a", upstream_password="b")
    )
    assert "secret key" in owner.get("/settings/gate").text
    assert post(owner, "/settings/gate", **FORM).status_code == 303
    assert stored(engine).upstream_password == FORM["password"]


def test_strangers_reach_none_of_it(stranger: FlaskClient) -> None:
    for path in ("/settings/gate", "/settings/gate/password", "/settings/gate/test"):
        assert stranger.post(path).status_code in {302, 303, 400, 401, 403}
