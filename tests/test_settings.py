import sys
from pathlib import Path

import pytest

from worker.errors import SettingsError
from worker.settings import read_settings

knows_homes = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows guesses where another user's home is."
)


def test_without_any_variable_the_defaults_hold() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.sync_interval) == ("127.0.0.1", 8000, 60)
    assert settings.units_per_minute == 6000
    assert settings.gmail_url is None
    assert settings.client_secrets == settings.data_dir / "client_secret.json"


def test_every_variable_is_taken(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "BUYERBLOCK_DATA_DIR": str(tmp_path),
            "BUYERBLOCK_CLIENT_SECRETS": str(tmp_path / "client.json"),
            "BUYERBLOCK_GMAIL_URL": "http://127.0.0.1:9/",
            "BUYERBLOCK_REVOKE_URL": "http://127.0.0.1:9/revoke",
            "BUYERBLOCK_SECRET_KEY": "k" * 32,
            "BUYERBLOCK_PUBLIC_URL": "https://blocks.example.com/",
            "BUYERBLOCK_HOST": "localhost",
            "BUYERBLOCK_PORT": "8100",
            "BUYERBLOCK_SYNC_INTERVAL": "30",
            "BUYERBLOCK_UNITS_PER_MINUTE": "15000",
        }
    )
    assert settings.data_dir == tmp_path
    assert settings.gmail_url == "http://127.0.0.1:9"
    assert settings.public_url == "https://blocks.example.com"
    assert (settings.host, settings.port) == ("localhost", 8100)
    assert (settings.sync_interval, settings.units_per_minute) == (30, 15000)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BUYERBLOCK_PORT", "eighty"),
        ("BUYERBLOCK_PORT", "70000"),
        ("BUYERBLOCK_PORT", "٨٠"),
        ("BUYERBLOCK_PORT", "8" * 5000),
        pytest.param("BUYERBLOCK_DATA_DIR", "~nobody-of-this-name/data", marks=knows_homes),
        pytest.param("BUYERBLOCK_CLIENT_SECRETS", "~nobody-of-this-name/client.json", marks=knows_homes),
        ("BUYERBLOCK_SYNC_INTERVAL", "0"),
        ("BUYERBLOCK_UNITS_PER_MINUTE", "-1"),
        ("BUYERBLOCK_GMAIL_URL", "gmail"),
        ("BUYERBLOCK_GMAIL_URL", "http://[::1"),
        ("BUYERBLOCK_PUBLIC_URL", "ftp://example.com"),
        ("BUYERBLOCK_PUBLIC_URL", "https://exa mple.com"),
        ("BUYERBLOCK_PUBLIC_URL", "https://example.com/?page=1"),
        ("BUYERBLOCK_PUBLIC_URL", "https://user:secret@example.com"),
        ("BUYERBLOCK_SECRET_KEY", "short"),
    ],
)
def test_a_wrong_value_gets_one_sentence_that_names_the_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: value})


@knows_homes
def test_a_user_without_a_home_is_asked_for_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)

    with pytest.raises(SettingsError, match="BUYERBLOCK_DATA_DIR"):
        read_settings({})


STORE = "C:\\Program Files\\WindowsApps\\PythonSoftwareFoundation.Python.3.11_3.11.2544.0_x64__qbz5n2kfra8p0"


def test_a_python_from_the_microsoft_store_needs_a_folder_that_stays(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="setx BUYERBLOCK_DATA_DIR"):
        read_settings({}, STORE)
    assert read_settings({"BUYERBLOCK_DATA_DIR": str(tmp_path)}, STORE).data_dir == tmp_path


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:8000/"),
        ("0.0.0.0", "http://localhost:8000/"),
        ("::", "http://[::1]:8000/"),
        ("192.0.2.7", "http://192.0.2.7:8000/"),
    ],
)
def test_the_page_has_an_address_on_this_machine(host: str, url: str) -> None:
    assert read_settings({"BUYERBLOCK_HOST": host}).own_url == url


def test_an_empty_variable_counts_as_missing() -> None:
    assert read_settings({"BUYERBLOCK_PORT": " "}).port == 8000


def test_the_secret_key_does_not_show_when_settings_are_printed() -> None:
    assert "kkkk" not in repr(read_settings({"BUYERBLOCK_SECRET_KEY": "k" * 32}))
