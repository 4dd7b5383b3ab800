"""Recognise Amazon's opt-out notices.

Promise: ``judge`` in ``judge.py`` turns the bytes of any mail into a verdict, never raises, touches nothing
outside its arguments, and never blocks anyone on a guess. What the verdicts mean
stands in ``model.py``.

The tables that other packages read too: ``amazon.py`` (domains, marketplaces, senders) and
``wording.py`` (what notices say, by language). The other files, from the outside of a mail to its
inside: ``headers.py``, ``authenticity.py``, ``mime.py``, ``charsets.py``, ``page.py``, ``forwarded.py``,
``header_lines.py``, ``content.py``, ``sentences.py``,
``aliases.py``, ``dates.py``, ``clues.py``.

This file imports nothing: the block list needs to know an alias, not to read mail.
"""
