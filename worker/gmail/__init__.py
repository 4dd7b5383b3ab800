"""Gmail, as far as the engine needs it; the only package that imports Google's client.

Promise: callers see a few verbs and our own errors. Speed limit, retries and refreshing of tokens happen
in here. Start at ``mailbox.py``; ``rules.py`` keeps labels and filters as they should be.
"""
