"""The engine of buyerblock, without the web page.

Promise: every buyer in a genuine opt-out notice gets on the block list, nobody else does, and no mail is ever deleted.
Follow one notice: ``sync.py`` reads it from the queue in Gmail (``gmail/``), ``notices/`` judges it, ``block_list/``
stores the verdict, and only then the mail is filed. ``app.py`` wires these together; it imports them, never the other
way.
"""
