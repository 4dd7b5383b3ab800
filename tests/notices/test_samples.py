"""Every sample mail gets the verdict that the table promises."""

import json
from pathlib import Path
from typing import Any

import pytest

from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Unrelated
from worker.notices.wording import WORDING

SAMPLES = Path(__file__).parent.parent / "samples"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SAMPLES / "expected.json").read_text(encoding="utf-8"))
VERDICTS = {OptOut: "opt_out", Suspect: "suspect", Unrelated: "unrelated"}
CLUES = ("address", "order_id", "marketplace", "language")


@pytest.mark.parametrize("name", EXPECTED)
def test_the_sample_is_judged_as_the_table_says(name: str) -> None:
    expected = EXPECTED[name]
    verdict = judge((SAMPLES / name).read_bytes(), trusted=expected.get("trusted", ()))
    assert VERDICTS[type(verdict)] == expected["verdict"], verdict
    if not isinstance(verdict, Unrelated):
        assert {clue: getattr(verdict, clue) for clue in CLUES} == {clue: expected[clue] for clue in CLUES}


def test_every_sample_is_in_the_table_and_the_other_way_round() -> None:
    files = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*.eml")}
    assert files == set(EXPECTED)
    assert all(name.startswith(row["verdict"]) for name, row in EXPECTED.items())


@pytest.mark.parametrize("row", WORDING, ids=lambda row: f"{row.language}-{row.because[:20]}")
def test_no_wording_is_without_its_sample(row: Any) -> None:
    verdict = judge((SAMPLES / row.sample).read_bytes())
    assert isinstance(verdict, OptOut if row.proven else Suspect)
    assert verdict.language == row.language


def test_verdicts_do_not_depend_on_who_else_is_trusted() -> None:
    for name, row in EXPECTED.items():
        if "trusted" not in row:
            raw = (SAMPLES / name).read_bytes()
            assert judge(raw) == judge(raw, trusted={"someone@else.example"})
