"""One pass over a mailbox, and what runs passes: the scheduler asks what is due, ``passes.py`` runs it.

Promise: a buyer is durable on the block list before the mail is filed and leaves the queue; killed between any two
steps, the next pass does the rest again, and doing it again changes nothing. Start reading at ``sync.py``: it repairs
labels and filters, queues mail that the filters missed (``missed.py``), then drains the queue (``queue.py``).
"""
