"""The gate: an SMTP proxy between tools that cannot check the block list and the seller's outgoing mail server.

The seller's server is called the real server. Each session of a tool has its own connection to the real server, and
passes its replies on unchanged. The gate refuses a blocked recipient itself; while the list cannot be read, it refuses
all recipients (451). It has no queue: the tool gets a reply only after the real server replied, the bytes of a mail are
not changed, and nothing is stored. So a crash of the gate loses no mail and sends none twice.

A mail is critical, or a reply, if the header ``X-Buyerblock-Kind`` or Amazon's mark in the subject says so. The header
stays in the mail, because a signature may cover it. The reply to RCPT comes before the mail, so a tool must announce
marked mail by the user name ``buyerblock+marked``. Then a blocked recipient is accepted if it is the only one of its
mail, and the decision comes after DATA. With other recipients it gets 452, so the tool sends it separately: DATA has
one reply for all recipients, which must not hide that one of them was refused.

Start reading at ``session.py`` (the SMTP commands) and ``exchange.py`` (the work for each command). ``server.py`` runs
the gate, ``follower.py`` applies changed settings.
"""
