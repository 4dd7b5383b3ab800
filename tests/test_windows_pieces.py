"""What a lock file names for Windows, whatever this machine is."""

import pytest

from windows.pieces import requirements

LOCK = """\
# a comment
setuptools==84.2.1 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via buyerblock
tzdata==2026.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
cffi==2.1.1 ; platform_python_implementation == 'PyPy' \\
    --hash=sha256:dd
coverage[toml]==7.17.3 ; platform_machine == 'AMD64' and python_version >= '3.11' \\
    --hash=sha256:ee
"""


def test_conditions_are_decided_for_windows_and_hashes_are_kept() -> None:
    assert requirements(LOCK) == [
        "setuptools==84.2.1 --hash=sha256:aa --hash=sha256:bb",
        "tzdata==2026.6 --hash=sha256:cc",
        "coverage==7.17.3 --hash=sha256:ee",
    ]


def test_a_line_that_is_no_requirement_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="Expected"):
        requirements("=nonsense")
