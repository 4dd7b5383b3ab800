"""Gmail's resources as frozen values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message in a list, without its content."""

    id: str
    thread_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail. raw: the bytes as delivered; received_at: when Gmail received it, in UTC."""

    id: str
    label_ids: frozenset[str]
    received_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A user label. The visibilities are values of the Gmail API."""

    id: str
    name: str
    list_visibility: Literal["labelShow", "labelShowIfUnread", "labelHide"]
    message_visibility: Literal["show", "hide"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A filter: a query, and the changes to matching mail.

    id: "" for a filter that does not exist yet. query: None for a filter with other criteria; we never create such a
    filter.
    """

    id: str = ""
    query: str | None
    add: frozenset[str]
    remove: frozenset[str]
    forward: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Label ids to add to a message and to remove from it."""

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
