"""The allocator of a long-lived process is set up where it needs to be, and nothing fails elsewhere."""

import ctypes
import platform

import pytest

from oauth_web.server import limit_arenas


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="Other C libraries have no such trouble.")
def test_glibc_takes_every_option() -> None:
    assert limit_arenas()


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_where_there_is_no_glibc_nothing_is_done(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: None) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert not limit_arenas()
