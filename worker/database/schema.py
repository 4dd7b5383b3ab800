"""Which tables there are, and by which fields they are searched and sorted. Each index has the key, at its end where
it is not named.

``blocks`` and ``unblocked`` are the block list, by alias or order ID. Three tables follow from them and are kept by
``worker/block_list/entries.py`` in the same transaction: ``orders`` (order ID to key), ``notices`` (the evidence)
and ``counts`` (how many blocks and notices there are of a kind).
"""

from functools import cache

# Of the whole database. A version that an older program cannot read counts on from here.
VERSION = 1

# Fields that are searched without an index.
_SEARCHED = {"blocks": ("search",)}

# Of browsers that are inside at the moment: no backup brings them back.
MOMENTARY = ("sessions", "pending")

# Fields that few documents have: an index that begins with one holds these documents alone.
RARE = ("by_order", "import_id")

# Columns that hold numbers, or true and false; all others hold texts.
NUMBERS = {"blocks": ("notices", "by_order"), "notices": ("blocked",)}

TABLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "blocks": (
        # In every order, and passing over other kinds without a look at their documents; or one kind alone.
        ("first_seen", "key", "kind", "last_seen"),
        ("last_seen", "key", "kind", "first_seen"),
        ("notices", "key", "kind"),
        ("kind", "first_seen"),
        ("by_order",),
        ("import_id",),
    ),
    "unblocked": (("import_id",),),
    "orders": (),
    "notices": (("block",), ("blocked", "received_at")),
    "counts": (),
    "imports": (),
    "review": (("state", "received_at"), ("account", "gmail_id")),
    "accounts": (),
    "owners": (),
    "tokens": (),
    "preferences": (),
    "webhook": (),
    "announcements": (),
    "destinations": (),
    "notifications": (("destination", "at"), ("at",)),
    "summaries": (),
    "gate": (),
    "published": (),
    "sessions": (),
    "pending": (("kind", "at"),),
    "judged": (("day",),),
    "unresolved": (),
    "unreadable": (),
    "problems": (),
}


@cache
def columns(table: str) -> tuple[str, ...]:
    """Return the fields that a table is searched and sorted by. They hold texts or numbers, or are missing."""
    indexed = (field for fields in TABLES[table] for field in fields if field != "key")
    return tuple(dict.fromkeys((*indexed, *_SEARCHED.get(table, ()))))


def there(field: str) -> str:
    """Return what an index that begins with a field says of the documents that it holds: all, or those that have it."""
    return f' WHERE "{field}" IS NOT NULL' if field in RARE else ""
