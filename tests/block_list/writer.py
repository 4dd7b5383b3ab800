"""A process of its own that blocks invented buyers from several threads until it is killed.

Arguments: directory, number of the process, first buyer. It prints the number of each buyer after the block
list has acknowledged the block.
"""

import itertools
import os
import sys
from pathlib import Path
from threading import Thread

from making import alias

from worker.block_list.block_list import BlockList

THREADS = 4


def write(block_list: BlockList, buyers: "itertools.count[int]") -> None:
    """Block one buyer after the other; say so after each."""
    for buyer in buyers:
        block_list.block([alias(buyer)], by="test")
        os.write(1, b"%d\n" % buyer)


def main(directory: Path, first: int) -> None:
    # The journal is kept so short that folding it is interrupted too.
    block_list = BlockList(directory, compact_at=5_000)
    for thread in range(THREADS):
        Thread(target=write, args=(block_list, itertools.count(first + thread, THREADS))).start()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
