"""Installing from a lock file: the same packages on any day and with any settings, and true words where it fails."""

import ensurepip
import hashlib
import http.server
import os
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import installing


class Index:
    """A package index: a folder with wheels made here, served on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""

    def release(self, name: str, version: str, *, needs: str = "") -> str:
        """Publish a wheel; return its line for a lock file."""
        shown = self.folder / name.replace("_", "-") / f"{name}-{version}-py3-none-any.whl"
        shown.parent.mkdir(exist_ok=True)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nProvides-Extra: toml\n"
        files = {
            f"{name}.py": "",
            f"{name}-{version}.dist-info/METADATA": about + (f"Requires-Dist: {needs}\n" if needs else ""),
            f"{name}-{version}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{name}-{version}.dist-info/RECORD": "",
        }
        with zipfile.ZipFile(shown, "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(shown.read_bytes()).hexdigest()}\n"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index")
    index.folder.mkdir()
    handler = partial(QuietHandler, directory=str(index.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        index.url = f"http://127.0.0.1:{server.server_port}/"
        yield index
        server.shutdown()
        serving.join()


@pytest.fixture
def lock(tmp_path: Path, index: Index) -> Path:
    """A lock of the shape of ours: a package asks for another one with an extra, as pytest-cov for coverage[toml]."""
    lock = tmp_path / "requirements.lock"
    lines = [
        index.release("coverage", "7.10"),
        index.release("pytest_cov", "7.1", needs="coverage[toml]>=7.10"),
        index.release("setuptools", "84.2"),
    ]
    lock.write_text("".join(lines), encoding="utf-8")
    return lock


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with nothing but this Python's own pip."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    installing.make_environment(folder)
    return folder


@pytest.fixture
def python(bare: Path, tmp_path: Path) -> Path:
    """The Python of a fresh copy of the bare environment."""
    return installing.python_of(Path(shutil.copytree(bare, tmp_path / "venv", symlinks=True)))


def from_index(index: Index) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    return installing.pip_settings(own, f"global.index-url='{index.url}'")


def versions(python: Path) -> dict[str, str]:
    """Return what is installed, by name."""
    program = "from importlib.metadata import distributions as d; [print(x.name, x.version) for x in d()]"
    said = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout
    return dict(line.split() for line in said.splitlines())


def test_what_is_locked_is_installed_whatever_came_out_since(index: Index, lock: Path, python: Path) -> None:
    index.release("coverage", "7.11")
    index.release("setuptools", "85.0")
    installing.install_lock(python, lock, from_index(index))
    installed = versions(python)
    assert (installed["coverage"], installed["pytest_cov"], installed["setuptools"]) == (
        "7.10",
        "7.1",
        "84.2",
    )


@pytest.mark.skipif(ensurepip.version() >= "23.3", reason="the pip of this Python resolves it")
def test_resolving_the_lock_again_fails_with_the_pip_of_some_pythons(
    index: Index, lock: Path, python: Path
) -> None:
    """This is what the test above is about: a requirement with an extra is looked up in the index."""
    command = [python, "-m", "pip", "install", "--dry-run", "--require-hashes", "-r", lock]
    try_it = partial(
        subprocess.run, command, env=from_index(index), capture_output=True, text=True, check=False
    )
    assert try_it().returncode == 0
    index.release("coverage", "7.11")
    tried = try_it()
    assert tried.returncode != 0
    assert "must have their versions pinned" in tried.stderr


def test_a_package_that_is_not_the_locked_one_is_not_installed(
    index: Index, lock: Path, python: Path
) -> None:
    index.release("coverage", "7.10", needs="something-else")
    with pytest.raises(installing.SetUpError, match="not what was tested"):
        installing.install_lock(python, lock, from_index(index))
    assert "coverage" not in versions(python)


def test_settings_for_other_installations_change_nothing(
    index: Index, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pip.conf").write_text(
        f"[global]\nindex-url = {index.url}\n[install]\nuser = true\nno-binary = :all:\nprefix = /nowhere\n",
        encoding="utf-8",
    )
    (tmp_path / "pip.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
    hostile = {
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_TARGET": str(tmp_path / "target"),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_CONSTRAINT": "/nowhere",
        "PIP_DRY_RUN": "1",
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": "/nowhere",
        "PYTHONWARNINGS": "error",
        "VIRTUAL_ENV": "/nowhere",
        "CONDA_PREFIX": "/nowhere",
    }
    for name in ("HOME", "PIP_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in hostile.items():
        monkeypatch.setenv(name, value)
    made, settings = installing.make_environment(tmp_path / "Straße mit Bäumen")
    installing.install_lock(made, lock, settings)
    for name in hostile:
        monkeypatch.delenv(name)
    assert versions(made)["coverage"] == "7.10"


def test_the_users_way_to_the_packages_is_kept() -> None:
    listed = (
        ":env:.proxy='http://proxy:3128'\n"
        ":env:.index-url='https://mirror.example/simple'\n"
        "global.cert='/etc/company.pem'\n"
        "global.index-url='https://old.example/simple'\n"
        "install.extra-index-url='https://a.example\\nhttps://b.example'\n"
        "install.user='true'\n"
        "download.retries='9'\n"
    )
    settings = installing.pip_settings({"PATH": "/bin", "PIP_USER": "1"}, listed)
    assert settings == {
        "PATH": "/bin",
        "PIP_PROXY": "http://proxy:3128",
        "PIP_INDEX_URL": "https://mirror.example/simple",
        "PIP_CERT": "/etc/company.pem",
        "PIP_EXTRA_INDEX_URL": "https://a.example\nhttps://b.example",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


# As pip 23.2.1 said it, with what happened.
NO_VERSION = "ERROR: No matching distribution found for setuptools==84.2.1"
BROKEN = "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
OBJECT = "<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f069cf4a790>: "
FETCH = "Could not fetch URL http://me:secret@index.example/simple/setuptools/: "
SAID = [
    (
        f"{BROKEN}'NewConnectionError('{OBJECT}Failed to establish a new connection: [Errno -2]')'",
        "internet connection",
    ),
    (
        f"{FETCH}HTTPConnectionPool(): Max retries exceeded (Caused by ResponseError('503'))",
        "internet connection",
    ),
    (f"{BROKEN}'SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]'))'", "PIP_CERT"),
    ("ERROR: Could not find a suitable TLS CA certificate bundle, invalid path: /nowhere.pem", "PIP_CERT"),
    (f"{BROKEN}'ProxyError('Cannot connect to proxy.', OSError('407'))'", "HTTPS_PROXY"),
    ("ERROR: Could not install packages: Missing dependencies for SOCKS support.", "HTTPS_PROXY"),
    (f"{FETCH}401 Client Error: Unauthorized - skipping", "refuses you"),
    (f"{FETCH}403 Client Error: Forbidden - skipping", "refuses you"),
    ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "Make room"),
    ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "not what was tested"),
    ("Error: [Errno 30] Read-only file system: '/mnt/.vnew'", "home folder"),
    ("", "3.11 to 3.14"),
]


@pytest.mark.parametrize(("said", "advice"), SAID, ids=[advice for _, advice in SAID])
def test_a_failure_says_its_cause_and_what_to_do(said: str, advice: str) -> None:
    told = str(
        installing.explain(f"Looking in indexes\n{said}\n{NO_VERSION}\n[notice] A new release of pip\n")
    )
    assert advice in told
    assert (said or NO_VERSION)[-10:] in told
    assert "\n" not in told
    assert "secret" not in told
    assert " object at " not in told


def test_a_failure_of_an_unknown_kind_is_told_in_its_last_words() -> None:
    assert "the moon is full" in str(installing.explain("hm\nERROR: the moon is full\n\n"))
    assert str(installing.explain(""))


def test_what_the_system_refuses_is_told_in_words_that_are_understood() -> None:
    told = str(installing.explain_os_error(OSError(28, "Kein Platz", "/home/you/.vnew")))
    assert "No space left on device: /home/you/.vnew" in told
    assert "Make room" in told
