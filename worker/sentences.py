"""Sentences for people, kept apart from what fills them, so that whoever shows them can translate them first.

What a person reads has a ``template``, in English, and ``fields``; ``str()`` is the English sentence. A template
without fields is not filled in: its braces are text. A field may be something to read itself.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Protocol


class Readable(Protocol):
    """What a person reads."""

    @property
    def template(self) -> str: ...

    @property
    def fields(self) -> Mapping[str, object]: ...


class Sentence:
    """A sentence, or a part of one that another sentence takes up."""

    def __init__(self, template: str, /, **fields: object) -> None:
        self.template = template
        self.fields: Mapping[str, object] = fields

    def about(self, **fields: object) -> "Sentence":
        """Return it with these fields."""
        return Sentence(self.template, **fields)

    def __str__(self) -> str:
        return filled(self.template, self.fields)


def in_english(value: object) -> object:
    """Return a field as English sentences show it: numbers with separators, times in UTC."""
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
    """Return a template with its fields filled in."""
    return template.format_map({name: shown(value) for name, value in fields.items()}) if fields else template
