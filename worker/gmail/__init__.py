"""The Gmail operations that the engine needs; the only package that imports Google's client.

Promise: callers see a few methods and our own errors. This package does quota, retries and the refresh of tokens.
Start at ``mailbox.py``; ``rules.py`` repairs labels and filters.
"""
