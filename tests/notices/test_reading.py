"""What a person reads of a mail."""

import re
from pathlib import Path

import pytest

from worker.notices.reading import MAX_TEXT, text_of

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("suspect/*.eml")), ids=lambda path: path.stem)
def test_every_doubtful_sample_has_a_text_without_markup(path: Path) -> None:
    shown = text_of(path.read_bytes())
    assert len(shown) > 20
    assert "<div" not in shown
    assert "</" not in shown


def test_what_is_attached_or_quoted_is_shown_too() -> None:
    for name in ("suspect/attached_by_stranger", "suspect/forward_by_stranger"):
        shown = text_of((SAMPLES / f"{name}.eml").read_bytes())
        assert re.search(r"\d{3}-\d{7}-\d{7}", shown)


def test_signs_that_nobody_sees_are_left_out_and_length_is_bounded() -> None:
    mail = "Content-Type: text/plain; charset=utf-8\n\nblo\u202eck\u200b \x1b[31mme\n\n\n" + "word " * 5000
    shown = text_of(mail.encode())
    assert shown.startswith("block [31mme\nword")
    assert len(shown) == MAX_TEXT + 1
    assert shown.endswith("…")
