"""Sentences and what fills them are kept apart, so that the page can translate them."""

import ast
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from catalogues import sentence_calls
from worker.database import stored
from worker.errors import GmailError, UsageError
from worker.problems import Cause, MailboxProblem
from worker.sentences import Sentence

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for path in sorted([*ROOT.glob("worker/**/*.py"), *ROOT.glob("oauth_web/**/*.py")])
    if "demo" not in path.parts
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_error_or_sentence_is_put_together_before_it_is_told(path: Path) -> None:
    for call in sentence_calls(ast.parse(path.read_text(encoding="utf-8"))):
        first = call.args[0] if call.args else None
        made = isinstance(first, ast.JoinedStr | ast.BinOp) or (
            isinstance(first, ast.Call)
            and isinstance(first.func, ast.Attribute)
            and first.func.attr == "format"
        )
        assert not made, f"line {call.lineno}: write a template, and give its fields by name"


def test_an_error_reads_as_its_template_filled_in() -> None:
    error = UsageError("The note is longer than {most} characters.", most=4000)
    assert str(error) == "The note is longer than 4,000 characters."
    assert (error.template, error.fields) == ("The note is longer than {most} characters.", {"most": 4000})


def test_braces_of_a_sentence_without_fields_are_text() -> None:
    assert str(UsageError('Such as {"keys": []}.')) == 'Such as {"keys": []}.'


def test_fields_that_look_like_templates_stay_as_they_are() -> None:
    assert (
        str(UsageError("“{address}” is no address.", address="{0.__class__}"))
        == "“{0.__class__}” is no address."
    )


def test_times_numbers_and_lists_are_written_in_english() -> None:
    told = Sentence(
        "{at}, {day}, {which}",
        at=datetime(2026, 11, 26, 9, 5, tzinfo=UTC),
        day=date(2026, 11, 26),
        which=(Sentence("{count} mails", count=1200), "x"),
    )
    assert str(told) == "2026-11-26 at 09:05 UTC, 2026-11-26, 1,200 mails, x"


def test_a_stored_problem_takes_up_the_sentences_of_others_as_sentences() -> None:
    error = GmailError(Cause.RULES_KEPT, problem=UsageError("Please sign in again."))
    problem = replace(error.problem, tried_again=True)
    problem = stored(MailboxProblem, problem.as_document())
    assert str(problem).startswith("Please sign in again. Or disconnect it")
    inner = problem.fields["sentence"]
    assert isinstance(inner, MailboxProblem)
    assert isinstance(inner.fields["problem"], Sentence)
