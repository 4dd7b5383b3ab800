"""Keep our labels and filters as they should be: look, plan, apply.

A plan is a tuple of printable values; applying it and planning again gives an empty plan. Labels and filters
are known by the ids they had the last time, so the user may rename, recolour or move a label,
and a filter that the user made is never touched. Gmail cannot change a filter, only replace it.
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
    """Our part of what is in a mailbox.

    labels: Gmail's ids by our names. filters: ours, with our names in place of label ids; a label of ours that
    is gone is named by its old id. others: filters with labels of ours that another program or
    person made. room: how many more filters Gmail allows the account.
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


def look(
    mailbox: Mailbox, *, labels: Mapping[str, str], filter_ids: tuple[str, ...], wanted: frozenset[Filter]
) -> Rules:
    """Return what is there. labels and filter_ids: our ids as of the last time; a wanted filter counts as ours too."""
    there = {label.id: label.name.casefold() for label in mailbox.labels()}
    ids = {name: label_id for label_id, name in there.items()}
    found = {
        name: labels[name] if labels.get(name) in there else ids.get(label.name.casefold())
        for name, label in LABELS.items()
    }
    live = {name: label_id for name, label_id in found.items() if label_id is not None}
    names = {label_id: name for name, label_id in live.items()}
    every = [_named(filter_, names) for filter_ in mailbox.filters()]
    ours = frozenset(it for it in every if it.id in filter_ids or replace(it, id="") in wanted)
    others = frozenset(it for it in every if it not in ours and not it.add.isdisjoint(LABELS))
    return Rules(labels=live, filters=ours, others=others, room=MAX_FILTERS - len(every))


def another_address(there: Rules) -> str | None:
    """Return the own address of another program with such rules in the mailbox, None if there is none."""
    found = (_OWN_ADDRESS.search(it.query or "") for it in there.others)
    return next((it[0] for it in found if it), None)


def plan(actual: Rules, wanted: frozenset[Filter]) -> tuple[Step, ...]:
    """Return the steps from what is there to what is wanted: labels, then new filters, then old ones away.

    Where Gmail has no room for old and new ones side by side, the old ones go first.
    """
    there = {replace(filter_, id="") for filter_ in actual.filters}
    labels = [CreateLabel(name) for name in LABELS if name not in actual.labels]
    new = [CreateFilter(filter_) for filter_ in _ordered(wanted - there)]
    old = [DeleteFilter(it) for it in _ordered(actual.filters) if replace(it, id="") not in wanted]
    return (*labels, *new, *old) if len(new) <= actual.room else (*labels, *old, *new)


def apply(mailbox: Mailbox, actual: Rules, steps: tuple[Step, ...]) -> Rules:
    """Take the steps and return what is there then. Raises GmailError with advice where Gmail has no room."""
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
    real = replace(wanted, add=_mapped(wanted.add, labels), remove=_mapped(wanted.remove, labels))
    try:
        return mailbox.create_filter(real)
    except ConflictError:
        # Another program on this mailbox was faster, or an answer was lost on the way: it is there.
        return next((it.id for it in mailbox.filters() if replace(it, id="") == real), "")


def _named(filter_: Filter, names: Mapping[str, str]) -> Filter:
    return replace(filter_, add=_mapped(filter_.add, names), remove=_mapped(filter_.remove, names))


def _mapped(labels: frozenset[str], by: Mapping[str, str]) -> frozenset[str]:
    return frozenset(by.get(label, label) for label in labels)


def _ordered(filters: frozenset[Filter]) -> list[Filter]:
    return sorted(filters, key=lambda it: (it.query or "", it.id))


def remove(
    mailbox: Mailbox, there: Rules, *, adopted: Collection[str], own_address: str, shared: bool
) -> None:
    """Delete our filters, then our labels, and nothing else; the mail stays where it is.

    What was adopted stays. shared: another program has such rules here, of which only those are ours alone that name
    our own_address.
    """
    for filter_ in there.filters:
        if filter_.id not in adopted and (not shared or own_address in (filter_.query or "")):
            mailbox.delete_filter(filter_.id)
    for label_id in there.labels.values():
        if label_id not in adopted and not shared:
            mailbox.delete_label(label_id)
