"""Recognise Amazon's opt-out notices.

``judge`` in ``judge.py`` turns the bytes of any mail into a verdict. It never raises, is pure, and never blocks
anyone on a guess. The verdicts are in ``model.py``, the reasons for a suspect in ``doubts.py``.

Tables that other packages use too: ``amazon.py`` (domains, marketplaces, senders) and ``wording.py`` (the sentences of
notices, by language). The other files, from the headers of a mail to its content: ``headers.py``, ``addresses.py``,
``authenticity.py``, ``mime.py``, ``charsets.py``, ``page.py``, ``forwarded.py``, ``first_check.py``,
``header_lines.py``, ``content.py``, ``sentences.py``, ``new_words.py``, ``aliases.py``, ``dates.py``, ``clues.py``.

This file imports nothing: the block list uses aliases without the code that reads mail.
"""
