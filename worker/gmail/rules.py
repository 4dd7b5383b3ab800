"""Repair our labels and filters: read the current rules, plan, apply.

A plan is a tuple of printable values; after it was applied, the next plan is empty. Labels and filters are recognised
by their stored ids, so the user may rename, recolour or move a label, and filters of the user are never touched.
Gmail cannot change a filter, only delete and create.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from worker.errors import ConflictError, GmailError
from worker.gmail.mailbox import Mailbox
from worker.gmail.model import Filter
from worker.gmail.wanted import LABELS
from worker.problems import Cause

MAX_FILTERS = 1000
_OWN_ADDRESS = re.compile(r"[^\s:@]+\+optouts-[0-9a-z]{8}@[^\s)]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Our labels and filters in a mailbox.

    labels: Gmail's ids by our names. filters: ours, with our names in place of label ids; a deleted label of ours is
    named by its old id. others: filters of other programs or persons that use our labels. room: how many more filters
    Gmail allows.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    filters: frozenset[Filter] = frozenset()
    others: frozenset[Filter] = frozenset()
    room: int = MAX_FILTERS

    @property
    def filter_ids(self) -> tuple[str, ...]:
        return tuple(sorted(filter_.id for filter_ in self.filters))


@dataclass(frozen=True, slots=True)
class CreateLabel:
    name: str

    def __str__(self) -> str:
        return f"create the label “{LABELS[self.name].name}”"


@dataclass(frozen=True, slots=True)
class CreateFilter:
    filter: Filter

    def __str__(self) -> str:
        return f"create the filter for {', '.join(self.filter.add)}: {self.filter.query}"


@dataclass(frozen=True, slots=True)
class DeleteFilter:
    filter: Filter

    def __str__(self) -> str:
        return f"delete the outdated filter: {self.filter.query}"


Step = CreateLabel | CreateFilter | DeleteFilter


def read_current(
    mailbox: Mailbox, *, labels: Mapping[str, str], filter_ids: tuple[str, ...], wanted: frozenset[Filter]
) -> Rules:
    """Return the current rules. labels, filter_ids: our stored ids. A filter that equals a wanted one is ours too."""
    names_by_id = {label.id: label.name.casefold() for label in mailbox.labels()}
    ids_by_name = {name: label_id for label_id, name in names_by_id.items()}
    found = {
        name: labels[name] if labels.get(name) in names_by_id else ids_by_name.get(label.name.casefold())
        for name, label in LABELS.items()
    }
    existing = {name: label_id for name, label_id in found.items() if label_id is not None}
    our_names = {label_id: name for name, label_id in existing.items()}
    filters = [_with_labels(filter_, our_names) for filter_ in mailbox.filters()]
    ours = frozenset(it for it in filters if it.id in filter_ids or replace(it, id="") in wanted)
    others = frozenset(it for it in filters if it not in ours and not it.add.isdisjoint(LABELS))
    return Rules(labels=existing, filters=ours, others=others, room=MAX_FILTERS - len(filters))


def other_program_address(current: Rules) -> str | None:
    """Return the personal address of another buyerblock program on the same mailbox, None if there is none."""
    found = (_OWN_ADDRESS.search(it.query or "") for it in current.others)
    return next((it[0] for it in found if it), None)


def plan(actual: Rules, wanted: frozenset[Filter]) -> tuple[Step, ...]:
    """Return the steps from the actual to the wanted rules: create labels, create filters, delete outdated filters.

    If Gmail has no room for old and new filters together, the old ones are deleted first.
    """
    existing = {replace(filter_, id="") for filter_ in actual.filters}
    labels = [CreateLabel(name) for name in LABELS if name not in actual.labels]
    new = [CreateFilter(filter_) for filter_ in _ordered(wanted - existing)]
    old = [DeleteFilter(it) for it in _ordered(actual.filters) if replace(it, id="") not in wanted]
    return (*labels, *new, *old) if len(new) <= actual.room else (*labels, *old, *new)


def apply(mailbox: Mailbox, actual: Rules, steps: tuple[Step, ...]) -> Rules:
    """Apply the steps and return the new rules. Raises GmailError if Gmail has no room for the filters."""
    labels, filters = dict(actual.labels), set(actual.filters)
    new, old = (sum(isinstance(step, kind) for step in steps) for kind in (CreateFilter, DeleteFilter))
    if new > actual.room + old:
        raise GmailError(Cause.NO_ROOM_FOR_FILTERS, most=f"{MAX_FILTERS:,}")
    for step in steps:
        match step:
            case CreateLabel(name):
                labels[name] = mailbox.create_label(LABELS[name])
            case CreateFilter(wanted):
                filters.add(replace(wanted, id=_create(mailbox, wanted, labels)))
            case DeleteFilter(outdated):
                mailbox.delete_filter(outdated.id)
                filters.discard(outdated)
    room = actual.room + old - new
    return Rules(labels=labels, filters=frozenset(filters), others=actual.others, room=room)


def _create(mailbox: Mailbox, wanted: Filter, labels: Mapping[str, str]) -> str:
    with_ids = _with_labels(wanted, labels)
    try:
        return mailbox.create_filter(with_ids)
    except ConflictError:
        # It exists: created by another program, or by our own earlier try whose answer was lost.
        return next((it.id for it in mailbox.filters() if replace(it, id="") == with_ids), "")


def _with_labels(filter_: Filter, mapping: Mapping[str, str]) -> Filter:
    """Replace the labels of a filter: our names by Gmail's ids, or the other way."""

    def mapped(labels: frozenset[str]) -> frozenset[str]:
        return frozenset(mapping.get(label, label) for label in labels)

    return replace(filter_, add=mapped(filter_.add), remove=mapped(filter_.remove))


def _ordered(filters: frozenset[Filter]) -> list[Filter]:
    return sorted(filters, key=lambda it: (it.query or "", it.id))


def remove(
    mailbox: Mailbox, current: Rules, *, adopted: Collection[str], own_address: str, shared: bool
) -> None:
    """Delete our filters, then our labels, and nothing else; the mail stays where it is.

    adopted: ids that existed before us; they stay. shared: another buyerblock program uses this mailbox. Then only the
    filters with our own_address are ours.
    """
    for filter_ in current.filters:
        if filter_.id not in adopted and (not shared or own_address in (filter_.query or "")):
            mailbox.delete_filter(filter_.id)
    for label_id in current.labels.values():
        if label_id not in adopted and not shared:
            mailbox.delete_label(label_id)
