"""Sentences for people as an English ``template`` and its ``fields``, so that the template can be translated.

``str()`` is the English sentence. Without fields a template is not formatted: its braces are text. A field may be a
sentence itself.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Protocol


class Readable(Protocol):
    """A text for a person."""

    @property
    def template(self) -> str: ...

    @property
    def fields(self) -> Mapping[str, object]: ...


class Sentence:
    """A sentence, or a part of a sentence."""

    def __init__(self, template: str, /, **fields: object) -> None:
        self.template = template
        self.fields: Mapping[str, object] = fields

    def about(self, **fields: object) -> "Sentence":
        """Return the sentence with these fields."""
        return Sentence(self.template, **fields)

    def __str__(self) -> str:
        return filled(self.template, self.fields)


def in_english(value: object) -> object:
    """Format a field for an English sentence: numbers with separators, times in UTC."""
    match value:
        case int():
            return f"{value:,}"
        case datetime():
            return f"{value:%Y-%m-%d at %H:%M} UTC"
        case date():
            return value.isoformat()
        case tuple():
            return ", ".join(str(in_english(it)) for it in value)
    return value


def filled(
    template: str, fields: Mapping[str, object], shown: Callable[[object], object] = in_english
) -> str:
    """Fill in a template. shown: formats a field."""
    return template.format_map({name: shown(value) for name, value in fields.items()}) if fields else template
