from pathlib import Path

import orjson
import pytest
from people import CLIENT

from oauth_web.access.client_file import MAX_SIZE, Client, check_redirect, parse_client, read_client_file
from worker.errors import SettingsError

PART = CLIENT["installed"]


def content(**changes: object) -> bytes:
    return orjson.dumps({"installed": {**PART, **changes}})


@pytest.mark.parametrize("kind", ["installed", "web"])
def test_both_kinds_of_client_are_read(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "client.json"
    path.write_bytes(b"\xef\xbb\xbf" + orjson.dumps({kind: PART}))
    client = read_client_file(path)
    assert (client.kind, client.client_id) == (kind, PART["client_id"])
    assert client.token_uri == PART["token_uri"]


def test_the_secret_is_not_printed() -> None:
    assert str(PART["client_secret"]) not in repr(parse_client(content(), name="it"))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"not json", "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[1]", "is no OAuth client file"),
        (b"{}", "neither"),
        (b'{"installed": []}', "neither"),
        (b'{"type": "service_account", "client_id": "1"}', "key of a service account"),
        (content(client_secret=""), "“client_secret” is missing"),
        (content(token_uri=7), "“token_uri” is missing"),
        (content(token_uri="http://example.com/token"), "“token_uri” in it is no https address"),
        (content(auth_uri="javascript:alert(1)"), "“auth_uri” in it is no https address"),
        (content(auth_uri="https://user@example.com/"), "“auth_uri” in it is no https address"),
        (content(auth_uri="http://[::1"), "“auth_uri” in it is no https address"),
        (b" " * (MAX_SIZE + 1), "too large"),
    ],
)
def test_what_is_no_client_file_is_refused_in_one_sentence(bad: bytes, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_client(bad, name="it")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no OAuth client file at .*nowhere\.json"):
        read_client_file(tmp_path / "nowhere.json")


def test_a_directory_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_client_file(tmp_path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_is_allowed_to_this_machine(host: str) -> None:
    client = parse_client(content(token_uri=f"http://{host}:9000/token"), name="it")
    assert client.token_uri == f"http://{host}:9000/token"


def client(kind: str) -> Client:
    return parse_client(
        orjson.dumps({kind: {**PART, "redirect_uris": ["https://x.example/oauth2/callback", 3]}}), name="it"
    )


def test_a_desktop_client_takes_any_port_of_this_machine_and_no_other_host() -> None:
    check_redirect(client("installed"), "http://127.0.0.1:4711/oauth2/callback")
    with pytest.raises(SettingsError, match="Desktop app"):
        check_redirect(client("installed"), "https://x.example/oauth2/callback")


def test_a_web_client_takes_what_it_lists() -> None:
    check_redirect(client("web"), "https://x.example/oauth2/callback")
    with pytest.raises(SettingsError, match="Authorized redirect"):
        check_redirect(client("web"), "https://y.example/oauth2/callback")
