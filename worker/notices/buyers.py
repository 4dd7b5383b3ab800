"""Find out from an ordinary mail which buyer an order belongs to."""

from worker.notices.addresses import addresses_in
from worker.notices.aliases import alias, orders
from worker.notices.amazon import AMAZON_DOMAINS
from worker.notices.authenticity import reason_to_doubt, sender_of
from worker.notices.content import content_of, pages_of
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.judge import GMAIL
from worker.notices.mime import parts


def buyer_of(raw: bytes, order_id: str, *, from_owner: bool = False) -> str | None:
    """Return the alias of the buyer whose order this mail is about, or None.

    The mail has to name this order and no other. The alias is that of a genuine mail's sender or reply address, or, for
    a mail that the account itself sent (from_owner), its only buyer in To.
    """
    head = read_head(raw)
    found = content_of(head.first("subject"), pages_of(parts(raw, head), quoted=True))
    if set(orders(f"{found.subject}\n{found.text}")) != {order_id}:
        return None
    if from_owner:
        return _only_alias(head, "to")
    sender = sender_of(head)
    known = sender.domain.rpartition("marketplace.")[2] in AMAZON_DOMAINS
    if not known or reason_to_doubt(head, sender, GMAIL):
        return None
    return alias(sender.address) or _only_alias(head, "reply-to")


def _only_alias(head: Head, name: str) -> str | None:
    addresses = addresses_in(decode_words(" ".join(head.all(name)))[:10_000])
    aliases = {found for address in addresses if (found := alias(address))}
    return aliases.pop() if len(aliases) == 1 and "" not in addresses else None
