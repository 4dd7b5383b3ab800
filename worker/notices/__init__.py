"""Recognise Amazon's opt-out notices.

``judge`` in ``judge.py`` turns the bytes of any mail into a verdict. It never raises, is pure, and never blocks
anyone on a guess. The verdicts are in ``model.py``, the reasons for a doubtful one in ``doubts.py``.

The tables that other packages read too: ``amazon.py`` (domains, marketplaces, senders) and
``wording.py`` (what notices say, by language). The other files, from the envelope of a mail to its
contents: ``headers.py``, ``addresses.py``, ``authenticity.py``, ``mime.py``, ``charsets.py``, ``page.py``,
``forwarded.py``, ``first_check.py``, ``header_lines.py``, ``content.py``, ``sentences.py``, ``new_words.py``,
``aliases.py``, ``dates.py``, ``clues.py``.

This file imports nothing: the block list needs to know an alias, not to read mail.
"""
