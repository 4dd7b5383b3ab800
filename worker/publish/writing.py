"""Write one copy, whole or not at all."""

import glob
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from worker.block_list import BlockList
from worker.block_list.listing import query_of
from worker.errors import StorageError, UsageError
from worker.files import at_work, write_chunks_atomically
from worker.publish.copies import Copies, Copy

_LEFT_OVER = 600.0  # seconds; no write takes so long


def write(copies: Copies, block_list: BlockList, copy: Copy, *, now: datetime) -> Copy:
    """Write a copy of the list of now; return what became of it, which is stored too.

    Raises StorageError if the list cannot be read, or the outcome not be stored.
    """
    # Read before the content: a copy may be newer than its version says, never older.
    version, path = block_list.version, Path(copy.path)
    try:
        count, chunks = block_list.counted_export(copy.format, query=query_of(copy.filters))
        write_chunks_atomically(path, chunks, keep_mode=True)
        with at_work("write", path):
            modified = path.stat().st_mtime
            _clear(path, modified)
        written = replace(copy, version=version, written_at=now, blocks=count, modified=modified)
        after = replace(written, failure="", why="")
    except (StorageError, UsageError) as error:
        if isinstance(error, StorageError) and not isinstance(error.__cause__, OSError):
            raise  # the list is at fault, not the copy
        after = copy.failed(error)
    copies.update(copy, after)
    return after


def keep(copies: Copies, block_list: BlockList, copy: Copy, *, now: datetime) -> Copy:
    """Write a new copy, and keep it up to date from now on; return what became of it.

    Raises UsageError where it cannot be written: then it is not kept. Raises StorageError.
    """
    copies.add(copy)
    written = write(copies, block_list, copy, now=now)
    if problem := written.problem:
        copies.remove(copy.path)
        raise UsageError(problem.template, **problem.fields)
    return written


def _clear(path: Path, modified: float) -> None:
    """Delete the temporary files of writes that were killed."""
    for left_over in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if left_over.stat().st_mtime < modified - _LEFT_OVER:
                left_over.unlink()
