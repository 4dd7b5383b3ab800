"""The block list: buyers who must not get messages.

Promise: a change is on disk when the call returns; a reader sees a snapshot; a damaged database gives an error, never
the answer "not blocked". Start reading at ``block_list.py``; ``model.py`` has the fields of a block, ``entries.py``
stores changes, ``listing.py`` reads the list.
"""

from worker.block_list.block_list import BlockList
from worker.block_list.keys import parse_key

__all__ = ["BlockList", "parse_key"]
