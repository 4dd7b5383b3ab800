"""Copies of the list: files in an export format that are rewritten after every change.

Promise: a copy is always a snapshot of the list, even if the program is killed or the disk is full; a change is in it
within seconds; many changes at once cause one write. A failure is stored with its copy until a write succeeds. Start
reading at ``follower.py``.
"""

from worker.publish.copies import Copies, Copy, copy_path, page_copy_path
from worker.publish.follower import Follower
from worker.publish.writing import add_copy, write

__all__ = ["Copies", "Copy", "Follower", "add_copy", "copy_path", "page_copy_path", "write"]
