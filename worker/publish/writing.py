"""Write a copy atomically."""

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

_MAX_WRITE_TIME = 600.0  # seconds; longer than any write


def write(copies: Copies, block_list: BlockList, copy: Copy, *, now: datetime) -> Copy:
    """Write the current list to a copy; store and return the result.

    Raises StorageError if the list cannot be read or the result cannot be stored.
    """
    # Read before the content, so that the content may be newer than the version, but never older.
    version, path = block_list.version, Path(copy.path)
    try:
        count, chunks = block_list.counted_export(copy.format, query=query_of(copy.filters))
        write_chunks_atomically(path, chunks, keep_mode=True)
        with at_work("write", path):
            modified = path.stat().st_mtime
            _delete_left_overs(path, modified)
        written = replace(copy, version=version, written_at=now, blocks=count, modified=modified)
        after = replace(written, failure="", why="")
    except (StorageError, UsageError) as error:
        if isinstance(error, StorageError) and not isinstance(error.__cause__, OSError):
            raise  # the list cannot be read
        after = copy.with_failure(error)
    copies.update(copy, after)
    return after


def add_copy(copies: Copies, block_list: BlockList, copy: Copy, *, now: datetime) -> Copy:
    """Add and write a copy; return the result.

    Raises UsageError if it cannot be written; then it is not added. Raises StorageError.
    """
    copies.add(copy)
    written = write(copies, block_list, copy, now=now)
    if problem := written.problem:
        copies.remove(copy.path)
        raise UsageError(problem.template, **problem.fields)
    return written


def _delete_left_overs(path: Path, modified: float) -> None:
    """Delete temporary files of killed writes."""
    for left_over in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(OSError):
            if left_over.stat().st_mtime < modified - _MAX_WRITE_TIME:
                left_over.unlink()
