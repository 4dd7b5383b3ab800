"""The block list: which buyers must not be written to.

Promise: what a call has returned is on disk; a reader sees a whole state, never half of one; where the database
cannot be trusted there is an error, never the answer "not blocked". Start reading at ``block_list.py``; ``model.py``
says what a block knows, ``entries.py`` how changes are stored, ``listing.py`` how the list is read.
"""

from worker.block_list.block_list import BlockList
from worker.block_list.keys import parse_key

__all__ = ["BlockList", "parse_key"]
