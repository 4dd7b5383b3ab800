"""Gmail's things as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message as a list names it, without its content."""

    id: str
    thread_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail. raw: its bytes as they were delivered; received_at: when Gmail took it, in UTC."""

    id: str
    label_ids: frozenset[str]
    received_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A user label. Visibilities are Gmail's own words."""

    id: str
    name: str
    list_visibility: Literal["labelShow", "labelShowIfUnread", "labelHide"]
    message_visibility: Literal["show", "hide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter as far as we make them: a search, and what happens to mail that it finds.

    The id is "" for a filter that is wanted but not there yet. query is None for a filter with other criteria, which
    we never make.
    """

    id: str = ""
    query: str | None
    add: frozenset[str]
    remove: frozenset[str]
    forward: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to one message: label ids to add and to take off."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
