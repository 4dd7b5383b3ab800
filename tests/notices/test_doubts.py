"""The sentences that say why a mail needs a person."""

import re

import pytest

from worker.notices.doubts import Doubt, Group, Reason


@pytest.mark.parametrize("doubt", Doubt)
def test_every_doubt_is_one_whole_sentence(doubt: Doubt) -> None:
    sentence = str(Reason(doubt, "{ann}@example.org"))
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert ("{ann}@example.org" in sentence) == ("{" in doubt.value)


def test_no_two_doubts_share_a_sentence() -> None:
    # An Enum would make the second a mere alias of the first, and store it under that name.
    assert len(Doubt.__members__) == len(Doubt)


@pytest.mark.parametrize("doubt", Doubt)
def test_every_doubt_is_in_one_group_and_free_of_technical_words(doubt: Doubt) -> None:
    assert [doubt in group.value for group in Group].count(True) == 1
    assert not re.search(r"\b(?:header|DMARC|DKIM|ARC|SPF|type)", doubt.value, re.IGNORECASE)
