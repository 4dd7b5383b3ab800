"""The engine of buyerblock: everything that is true without a web page.

Promise: every buyer named in a genuine opt-out notice ends up on the block list, nobody else does,
and no mail is ever deleted. Follow one notice: ``sync.py`` reads it from the queue in Gmail
(``gmail/``), ``notices/`` judges it, ``block_list/`` makes it durable, and only then the mail is filed.
``app.py`` wires these together; imports point one way, from there downwards.
"""
