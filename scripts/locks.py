"""Make the lock files again: ``python3 scripts/locks.py [options of "uv pip compile", such as --upgrade]``.

``python3 scripts/locks.py --check`` says which machines lack a ready-made package instead.
"""

import itertools
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environment import LOCKS, ROOT, ensure, replace_process
from installing import SOURCE_ONLY

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

# Pairs of sys_platform and platform_machine.
MACHINES = (
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "x86_64"),
    ("darwin", "arm64"),
    ("win32", "AMD64"),
)

# --system-certs: the network may need certificates of this machine; uv only contains the public ones.
_COMPILE = ("uv", "pip", "compile", "--system-certs", "--quiet", "--universal", "--python-version", "3.11")


def make(options: list[str]) -> None:
    """Write all lock files, with the digests of all files of each release and without URLs."""
    plain = ("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--group", "build")
    hosting = ("--extra", "host", "--constraints", LOCKS["run"])
    developing = ("--extra", "host", "--group", "dev", "--constraints", LOCKS["host"])
    for name, more in ((LOCKS["run"], ()), (LOCKS["host"], hosting), (LOCKS["dev"], developing)):
        _run(*_COMPILE, *plain, *more, "pyproject.toml", "--output-file", name, *options)


def missing() -> Iterator[str]:
    """Yield a line for each package and machine without a wheel with a locked digest."""
    from packaging.markers import Marker  # noqa: PLC0415 - a development package

    for lock in LOCKS.values():
        digests = set(re.findall(r"[0-9a-f]{64}", (ROOT / lock).read_text(encoding="utf-8")))
        packages = [package for package in _released(lock) if package["name"] not in SOURCE_ONLY]
        for (system, processor), python in itertools.product(MACHINES, PYTHONS):
            environment = {"sys_platform": system, "platform_machine": processor, "python_version": python}
            tags = _tags(system, processor, python)
            for package in packages:
                applies = "marker" not in package or Marker(package["marker"]).evaluate(environment)
                if applies and not _has_wheel(package, tags, digests):
                    yield f"{lock}: {package['name']} has none for Python {python} on {system} {processor}"


def _released(lock: str) -> list[dict[str, Any]]:
    """Return the packages of a lock file with all their released files, as in a pylock.toml."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "pylock.toml"
        _run(*_COMPILE, "--no-deps", "--format", "pylock.toml", lock, "--output-file", str(listing))
        packages: list[dict[str, Any]] = tomllib.loads(listing.read_text(encoding="utf-8"))["packages"]
        return packages


def _has_wheel(package: dict[str, Any], tags: frozenset[Any], digests: set[str]) -> bool:
    from packaging.utils import parse_wheel_filename  # noqa: PLC0415 - of the development packages

    return any(
        wheel["hashes"]["sha256"] in digests
        and not tags.isdisjoint(parse_wheel_filename(wheel["url"].rpartition("/")[2])[3])
        for wheel in package.get("wheels", ())
    )


def _tags(system: str, processor: str, python: str) -> frozenset[Any]:
    """Return the tags of wheels for the oldest supported systems: glibc 2.28 and macOS 12."""
    from packaging.tags import compatible_tags, cpython_tags, mac_platforms  # noqa: PLC0415 - as above

    glibc = [*(f"_2_{minor}" for minor in range(5, 29)), "1", "2010", "2014"]
    platforms = {
        "linux": [f"manylinux{version}_{processor}" for version in glibc],
        "darwin": list(mac_platforms((12, 0), processor)),
        "win32": ["win_amd64"],
    }[system]
    version = tuple(map(int, python.split(".")))
    return frozenset(
        [*cpython_tags(version, platforms=platforms), *compatible_tags(version, platforms=platforms)]
    )


def _run(*module: str) -> None:
    if code := subprocess.run([sys.executable, "-m", *module], cwd=ROOT, check=False).returncode:
        sys.exit(code)  # it has printed the reason


def main(arguments: list[str]) -> int:
    if arguments != ["--check"]:
        make(arguments)
        return 0
    lines = list(missing())
    print("\n".join(lines) or "Every package of the locks is ready-made for every machine.")
    return 1 if lines else 0


if __name__ == "__main__":
    applies = ensure("dev")
    if sys.executable == applies:
        sys.exit(main(sys.argv[1:]))
    sys.exit(replace_process(applies, __file__, *sys.argv[1:]))
