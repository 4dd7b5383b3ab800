"""Changes being collected, and documents parsed as they are looked at."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from worker.block_list.state import State, dump, parse


@dataclass(frozen=True, slots=True)
class About:
    """Who or what changes something, and when, for the audit trail."""

    what: str
    by: str
    at: datetime | None = None

    @property
    def moment(self) -> datetime:
        """When it happened: now, unless the caller has a clock of its own."""
        return self.at or datetime.now(UTC)


class LazyTable(Mapping[str, Any]):
    """A table of raw documents that looks like one of parsed documents."""

    def __init__(self, raw: Mapping[str, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, key: str) -> dict[str, Any]:
        return parse(self._raw[key])

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._raw))

    def __len__(self) -> int:
        return len(self._raw)


class Overlay(MutableMapping[str, Any]):
    """A table as the open transaction sees it. Documents may be changed in place."""

    def __init__(self, raw: Mapping[str, bytes]) -> None:
        self._raw = raw
        self._touched: dict[str, dict[str, Any] | bytes | None] = {}

    def __getitem__(self, key: str) -> dict[str, Any]:
        document = self._touched[key] if key in self._touched else self._raw[key]
        if document is None:
            raise KeyError(key)
        if isinstance(document, bytes):
            document = self._touched[key] = parse(document)
        return document

    def __setitem__(self, key: str, document: Mapping[str, Any]) -> None:
        self._touched[key] = dict(document)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._touched[key] = None

    def __contains__(self, key: object) -> bool:
        return self._touched[key] is not None if key in self._touched else key in self._raw

    def __iter__(self) -> Iterator[str]:
        yield from [key for key in self._raw if key in self]
        yield from [key for key in self._touched if key in self and key not in self._raw]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def put(self, key: str, raw: bytes) -> None:
        """Hold a raw document; a million of them take a fifth of the memory of parsed ones."""
        self._touched[key] = raw

    def become(self, documents: Mapping[str, Mapping[str, Any]]) -> None:
        """Hold exactly these documents."""
        for key in [key for key in self if key not in documents]:
            del self[key]
        self.update(documents)

    def changes(self) -> dict[str, bytes | None]:
        """Return the raw documents that are not as before; None for those that are gone."""
        changed: dict[str, bytes | None] = {}
        for key, document in self._touched.items():
            raw = dump(document) if isinstance(document, dict) else document
            if raw != self._raw.get(key):
                changed[key] = raw
        return changed


class Transaction:
    """All the changes that become durable together."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._overlays: dict[str, Overlay] = {}

    def tables(self) -> list[str]:
        """Return the names of the tables."""
        return list({**self.state.tables, **self._overlays})

    def table(self, name: str) -> Overlay:
        """Return one table, to look at and to change."""
        if name not in self._overlays:
            self._overlays[name] = Overlay(self.state.tables.get(name, {}))
        return self._overlays[name]

    def changes(self) -> dict[str, dict[str, bytes | None]]:
        """Return what is not as before, by table."""
        changed = {name: overlay.changes() for name, overlay in self._overlays.items()}
        return {name: documents for name, documents in changed.items() if documents}
