"""What happens to a damaged list: set aside, recovered if nothing is lost, else left to a person.

The snapshot before the newest one and the journals since then are a second whole copy. Where that copy is
whole, the list is rebuilt from it and a warning says so. Where it is not, everything readable is put
together, but the list refuses to work until a person has decided what to do: an entry that went missing in
silence would be a message to somebody who asked for none.
"""

from itertools import count
from pathlib import Path

from worker.block_list import journal, layout, replay, snapshot
from worker.block_list.layout import Layout
from worker.block_list.snapshot import Header
from worker.block_list.state import State
from worker.errors import DamagedFileError
from worker.files import write_atomically


def undecided(place: Layout) -> DamagedFileError:
    """Return the error of a list that waits for a person's decision. Raises OSError."""
    return DamagedFileError(place.incomplete.read_text(encoding="utf-8").strip())


def recover(place: Layout, damage: DamagedFileError) -> str:
    """Rebuild the list, lose nothing, and return a sentence about it; the caller holds the lock.

    Raises DamagedFileError if something may be lost, OSError and StorageError if the disk fails.
    """
    bad: list[Path] = []
    state, header, whole = _base(place, bad)
    whole = _replay(place, state, header, bad) and whole
    newest = max([header.epoch, *place.journals()])
    if not whole:
        _ask(place, damage, state)
    kept = [layout.put_aside(path).name for path in bad]
    if whole or place.snapshot.exists() or state.sequence or any(state.tables.values()):
        renewed = Header(layout.new_lineage(), newest + 1, state.sequence)
        layout.start_journal(place, renewed)
        layout.write_snapshot(place, state, renewed)
    if not whole:
        raise undecided(place)
    where = ", ".join(kept) or "nothing"
    return f"{damage} The list was recovered completely from its second copy; set aside: {where}."


def _base(place: Layout, bad: list[Path]) -> tuple[State, Header, bool]:
    """Return the newest readable snapshot, and whether the journals can make it complete."""
    for path in (place.snapshot, place.previous):
        try:
            state, header = snapshot.read(path)
        except FileNotFoundError:
            continue
        except DamagedFileError:
            bad.append(path)
            continue
        return state, header, True
    # Journal 0 begins with an empty list, so with it nothing is lost.
    from_the_start = place.journal(0).exists()
    return State(), Header("", 0 if from_the_start else min(place.journals(), default=0), 0), from_the_start


def _replay(place: Layout, state: State, header: Header, bad: list[Path]) -> bool:
    """Apply every readable transaction since header; return whether none is missing."""
    whole = True
    journals = place.journals()
    if not journals:
        return False  # every snapshot is continued by one, which holds the newest blocks
    for epoch in count(header.epoch):
        if epoch > max(journals):
            return False  # the last journal there is was sealed: another one is missing
        if epoch not in journals:
            whole = False
            continue
        reader = journal.Reader(place.journal(epoch))
        sealed = False
        for transaction in reader:
            sealed = replay.is_seal(transaction)
            sequence = transaction[0].about.get("sequence")
            if sequence is not None:
                whole = whole and sequence == state.sequence + 1
                state.apply(replay.changes_of(transaction), sequence)
        if reader.damaged or reader.end == 0:
            whole = False
            bad.append(place.journal(epoch))
        if epoch == max(journals) and not sealed:
            return whole
    return whole


def _ask(place: Layout, damage: DamagedFileError, state: State) -> None:
    """Leave the sentence that stops the list until a person removes it."""
    readable = sum(map(len, state.tables.values()))
    write_atomically(
        place.incomplete,
        f"{damage} What is damaged was set aside beside it, {readable:,} entries could still be read, and some may "
        f"be missing: restore a backup, or delete {place.incomplete.name} to go on with what is left and read "
        "the old notices again with `buyerblock sync --existing`.\n".encode(),
    )
