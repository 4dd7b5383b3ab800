"""The block list: which buyers must not be written to.

Promise: what a call has returned is on disk; a reader sees a whole state, never half of one; a damaged
file is set aside, never replaced by an empty one. Start at ``block_list.py``; ``model.py`` says what a
block knows, ``storage.py`` how it is kept.
"""

from worker.block_list.block_list import BlockList
from worker.block_list.keys import Key, parse_key
from worker.block_list.model import Block, Evidence, KeyResult, Result, Sighting

__all__ = ["Block", "BlockList", "Evidence", "Key", "KeyResult", "Result", "Sighting", "parse_key"]
