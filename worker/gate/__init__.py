"""The gate: an SMTP server for tools that cannot ask the block list, in front of the seller's real outgoing server.

Design: each session of a tool has one connection to the real server, whose answers go back as they are; a recipient on
the block list is refused before the real server hears of it, and while the list cannot be read, everybody is (451).
It is a proxy without a queue: the tool is answered only when the real server has answered, the bytes of a mail are not
changed, and nothing is kept, so a gate that dies loses no mail and sends none twice.

A mail is critical, or a reply, if its header ``X-Buyerblock-Kind`` or Amazon's mark in the subject says so. That header
stays in the mail, whose signature may cover it. RCPT is answered before the mail is seen, so a tool asks for this by
signing in as ``buyerblock+marked``. There a blocked recipient is taken if it is the only one of its mail, and decided
after DATA; beside others it is answered 452, which has the tool send it by itself: DATA has one answer for all
recipients, and must not hide that one of them was refused.

Start reading at ``session.py`` (what a tool is answered) and ``exchange.py`` (what is asked for that); ``server.py``
runs it, ``follower.py`` keeps it as the settings say.
"""
