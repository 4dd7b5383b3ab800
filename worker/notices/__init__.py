"""Recognise Amazon's opt-out notices.

Promise: :func:`judge` turns the bytes of any mail into a verdict, never raises, touches nothing
outside its arguments, and never blocks anyone on a guess. Start reading at ``judge.py``; what the
verdicts mean stands in ``model.py``.
"""

from worker.notices.model import OptOut, Suspect, Unrelated, Verdict

__all__ = ["OptOut", "Suspect", "Unrelated", "Verdict"]
