"""Labels and their validation."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oauth_web.demo.sandbox.refusals import Refusal, invalid
from oauth_web.demo.sandbox.search import label_key

MAX_NAME = 225
MAX_LABELS = 10_000

SYSTEM = (
    *("INBOX", "SENT", "DRAFT", "TRASH", "SPAM", "UNREAD", "STARRED", "IMPORTANT", "CHAT"),
    *("CATEGORY_PERSONAL", "CATEGORY_SOCIAL", "CATEGORY_PROMOTIONS", "CATEGORY_UPDATES", "CATEGORY_FORUMS"),
)
# Clients cannot add or remove these labels.
FIXED = frozenset({"SENT", "DRAFT", "CHAT"})

LIST_VISIBILITY = ("labelShow", "labelShowIfUnread", "labelHide")
MESSAGE_VISIBILITY = ("show", "hide")

# developers.google.com/workspace/gmail/api/reference/rest/v1/users.labels#Color
_CODES = (
    "000000 434343 666666 999999 cccccc efefef f3f3f3 ffffff fb4c2f ffad47 fad165 16a766 43d692 4a86e8 "
    "a479e2 f691b3 f6c5be ffe6c7 fef1d1 b9e4d0 c6f3de c9daf8 e4d7f5 fcdee8 efa093 ffd6a2 fce8b3 89d3b2 "
    "a0eac9 a4c2f4 d0bcf1 fbc8d9 e66550 ffbc6b fcda83 44b984 68dfa9 6d9eeb b694e8 f7a7c0 cc3a21 eaa041 "
    "f2c960 149e60 3dc789 3c78d8 8e63ce e07798 ac2b16 cf8933 d5ae49 0b804b 2a9c68 285bac 653e9b b65775 "
    "822111 a46a21 aa8831 076239 1a764d 1c4587 41236d 83334c 464646 e7e7e7 0d3472 b6cff5 0d3b44 98d7e4 "
    "3d188e e3d7ff 711a36 fbd3e0 8a1c0a f2b2a8 7a2e0b ffc8af 7a4706 ffdeb5 594c05 fbe983 684e07 fdedc1 "
    "0b4f30 b3efd3 04502e a2dcc1 c2c2c2 4986e7 2da2bb b99aff 994a64 f691b2 ff7537 ffad46 662e37 ebdbde "
    "cca6ac 094228 42d692 16a765 757575 1e53b8 007286 7858c3 c2185b d93025 54240e 633e04 521d28 202124 "
    "083018"
)
PALETTE = frozenset(f"#{code}" for code in _CODES.split())


@dataclass(frozen=True, slots=True)
class Label:
    """A label. color: (text, background)."""

    id: str
    name: str
    system: bool = False
    list_visibility: str | None = None
    message_visibility: str | None = None
    color: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The name in search syntax."""
        return label_key(self.name)

    def resource(self) -> dict[str, Any]:
        """Return the label as an API resource."""
        resource: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "type": "system" if self.system else "user",
        }
        if self.message_visibility:
            resource["messageListVisibility"] = self.message_visibility
        if self.list_visibility:
            resource["labelListVisibility"] = self.list_visibility
        if self.color:
            resource["color"] = {"textColor": self.color[0], "backgroundColor": self.color[1]}
        return resource


def system_labels() -> dict[str, Label]:
    return {name: Label(name, name, system=True) for name in SYSTEM}


def checked_label(label_id: str, body: Mapping[str, Any], others: Iterable[Label]) -> Label:
    """Return the label of a request body. Raises Refusal. others: all other labels."""
    name = _checked_name(body.get("name"))
    if any(_conflict(name, other.name) for other in others):
        raise Refusal(409, "Label name exists or conflicts", "aborted")
    shown = body.get("labelListVisibility", "labelShow")
    in_list = body.get("messageListVisibility", "show")
    if shown not in LIST_VISIBILITY:
        raise invalid(f"Invalid value for labelListVisibility: {shown}")
    if in_list not in MESSAGE_VISIBILITY:
        raise invalid(f"Invalid value for messageListVisibility: {in_list}")
    return Label(
        label_id,
        name,
        list_visibility=shown,
        message_visibility=in_list,
        color=_checked_color(body.get("color")),
    )


def _checked_name(name: object) -> str:
    """Refuse like the web interface: empty levels, and names of system labels."""
    if not isinstance(name, str) or not name.strip():
        raise invalid("Invalid label name")
    levels = re.sub(r"\s+", " ", name).strip().split("/")
    if len(name) > MAX_NAME or not all(level.strip() for level in levels):
        raise invalid("Invalid label name")
    if name.strip().upper() in SYSTEM or "^" in name:
        raise invalid("Invalid label name")
    return "/".join(level.strip() for level in levels)


def _conflict(name: str, other: str) -> bool:
    # Gmail ignores case.
    return name.casefold() == other.casefold()


def _checked_color(color: Any) -> tuple[str, str] | None:
    if not color:
        return None
    text, background = color.get("textColor"), color.get("backgroundColor")
    if text is None or background is None:
        raise invalid("Label color must have both a text color and a background color")
    if not {text, background} <= PALETTE:
        raise invalid(f"Label color {text} on {background} is not on the allowed color palette")
    return text, background
