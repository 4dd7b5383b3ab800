"""One pass over a mailbox (``sync.py``), and what runs passes (``scheduler.py``, ``passes.py``).

Promise: a buyer is durable on the block list before the mail is filed and leaves the queue. A pass is idempotent: after
a kill at any step, the next pass repeats the rest and changes nothing else. Start reading at ``sync.py``: it repairs
labels and filters, queues mail that the filters missed (``missed.py``), then drains the queue (``queue.py``).
"""
