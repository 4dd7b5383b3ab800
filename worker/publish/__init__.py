"""Copies of the list that keep themselves: files in an export format, rewritten after every change.

Promise: a copy is one whole state of the list at every moment, also when the program is killed or the disk is full; a
change is in it within seconds, and many changes at once are one write. What keeps a copy from being written is stored
with it, until it is written. Start reading at ``follower.py``.
"""

from worker.publish.copies import Copies, Copy, place_of, place_of_page
from worker.publish.follower import Follower
from worker.publish.writing import keep, write

__all__ = ["Copies", "Copy", "Follower", "keep", "place_of", "place_of_page", "write"]
