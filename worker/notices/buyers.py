"""Find the buyer of an order in an ordinary mail."""

from worker.notices.addresses import addresses_in
from worker.notices.aliases import alias, orders
from worker.notices.amazon import AMAZON_DOMAINS
from worker.notices.authenticity import reason_to_doubt, sender_of
from worker.notices.content import content_of, pages_of
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.judge import GMAIL
from worker.notices.mime import parts


def buyer_of(raw: bytes, order_id: str, *, from_owner: bool = False) -> str | None:
    """Return the alias of the order's buyer, or None.

    The mail must contain this order ID and no other. The alias is the sender or the Reply-To of a genuine mail; or, if
    the account itself sent the mail (from_owner), the only alias in To.
    """
    head = read_head(raw)
    found = content_of(head.first("subject"), pages_of(parts(raw, head), quoted=True))
    if set(orders(f"{found.subject}\n{found.text}")) != {order_id}:
        return None
    if from_owner:
        return _only_alias(head, "to")
    sender = sender_of(head)
    from_amazon = sender.domain.rpartition("marketplace.")[2] in AMAZON_DOMAINS
    if not from_amazon or reason_to_doubt(head, sender, GMAIL):
        return None
    return alias(sender.address) or _only_alias(head, "reply-to")


def _only_alias(head: Head, name: str) -> str | None:
    addresses = addresses_in(decode_words(" ".join(head.all(name)))[:10_000])
    aliases = {found for address in addresses if (found := alias(address))}
    return aliases.pop() if len(aliases) == 1 and "" not in addresses else None
