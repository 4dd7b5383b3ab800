"""``buyerblock demo``: the whole program against a stand-in for Google, with invented mail.

Promises: it needs no network and no Google account, keeps nothing, and runs the same ``buyerblock serve`` that a seller
runs, as a process that knows from its settings alone where "Google" is. Only the command ``demo`` imports this package.

Start reading at ``demonstration.py`` (what happens, in order). ``program.py`` is the program beside it,
``mailboxes.py`` says who gets which mail and when, ``mails.py`` what Amazon's mail looks like; ``sandbox/`` is the
stand-in. ``many_sellers.py`` is the demo of a host, over a PostgreSQL server that ``postgres_server.py`` starts.
"""
