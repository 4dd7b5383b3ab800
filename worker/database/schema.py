"""The tables and their indexes. Each index contains the key, by default at its end.

``blocks`` and ``unblocked`` are the block list, by alias or order ID. Three tables are derived from them, by
``worker/block_list/entries.py`` in the same transaction: ``orders`` (order ID to key), ``notices`` (the evidence)
and ``counts`` (numbers of blocks and notices by kind and week).
"""

from functools import cache

# Of the whole database. Increase it if older programs cannot read the new one.
VERSION = 1

# Fields that are searched without an index.
_SEARCHED = {"blocks": ("search",)}

# Tables with state of browser sessions.
NOT_IN_BACKUPS = ("sessions", "pending")

# Fields that few documents have: an index that starts with one contains only these documents.
PARTIAL_INDEX_FIELDS = ("by_order", "import_id")

# Columns with numbers or booleans; all others are texts.
NUMBERS = {"blocks": ("notices", "by_order"), "notices": ("blocked",)}

TABLES: dict[str, tuple[tuple[str, ...], ...]] = {
    "blocks": (
        # For each sort order, with the kind in the index to filter without reading documents; the fourth for one kind.
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
    """Return the fields with a column: those in indexes and search. Each has texts or numbers, or is missing."""
    indexed = (field for fields in TABLES[table] for field in fields if field != "key")
    return tuple(dict.fromkeys((*indexed, *_SEARCHED.get(table, ()))))


def partial_index_clause(field: str) -> str:
    """Return the WHERE clause of an index that starts with this field, "" if it contains all documents."""
    return f' WHERE "{field}" IS NOT NULL' if field in PARTIAL_INDEX_FIELDS else ""
