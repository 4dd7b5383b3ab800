"""``buyerblock demo``: the whole program with a stand-in for Google and invented mail.

Promises: it needs no network and no Google account, stores nothing, and runs the real ``buyerblock serve`` as a
process; only its settings contain the address of the stand-in. Only the command ``demo`` imports this package.

Start reading at ``demonstration.py`` (the steps in order). ``program.py`` runs the program, ``mailboxes.py`` decides
who gets which mail and when, ``mails.py`` creates Amazon's mail; ``sandbox/`` is the stand-in. ``many_sellers.py`` is
the demo of a host, with a PostgreSQL server from ``postgres_server.py``.
"""
