"""Recognise Amazon's opt-out notices.

Promise: :func:`judge` turns the bytes of any mail into a verdict, never raises, touches nothing
outside its arguments, and never blocks anyone on a guess. Start reading at ``judge.py``; what the
verdicts mean stands in ``model.py``.

The tables that other packages read too: ``amazon.py`` (domains, marketplaces, senders) and
``wording.py`` (what notices say, by language). The other files, from the outside of a mail to its
inside: ``headers.py``, ``authenticity.py``, ``mime.py``, ``charsets.py``, ``page.py``, ``forwarded.py``,
``header_lines.py``, ``content.py``, ``sentences.py``,
``aliases.py``, ``dates.py``, ``clues.py``.
"""

from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Unrelated, Verdict

__all__ = ["OptOut", "Suspect", "Unrelated", "Verdict", "judge"]
