"""Tables of Amazon's mail domains, marketplaces and senders."""

from dataclasses import dataclass

TYPE_HEADER = "X-Space-Notification-Type"
MARKETPLACE_HEADER = "X-Marketplace-ID"
OPT_OUT_TYPE = "BUYER_OPTED_OUT_BSM_MESSAGES"


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One of Amazon's marketplaces.

    tld: the part after ``amazon.``. id: the value of the X-Marketplace-ID header. evidence: ``seen`` in mail or
    ``documented`` in Amazon's public list for developers. Buyers' aliases are at ``marketplace.amazon.<tld>``, whose MX
    records were checked in August 2026.
    """

    tld: str
    id: str | None
    evidence: str

    @property
    def domain(self) -> str:
        """The name of the marketplace, such as ``amazon.it``; Amazon also sends mail from this domain."""
        return f"amazon.{self.tld}"


MARKETPLACES: tuple[Marketplace, ...] = (
    Marketplace("com", "ATVPDKIKX0DER", "seen"),
    Marketplace("ca", "A2EUQ1WTGCTBG2", "seen"),
    Marketplace("com.mx", "A1AM78C64UM0Y8", "documented"),
    Marketplace("com.br", "A2Q3Y263D00KWC", "seen"),
    Marketplace("co.uk", "A1F83G8C2ARO7P", "seen"),
    Marketplace("de", "A1PA6795UKMFR9", "seen"),
    Marketplace("fr", "A13V1IB3VIYZZH", "documented"),
    Marketplace("it", "APJ6JRA9NG5V4", "seen"),
    Marketplace("es", "A1RKKUPIHCS9HS", "documented"),
    Marketplace("nl", "A1805IZSGTT6HS", "documented"),
    Marketplace("se", "A2NODRKZP88ZB9", "documented"),
    Marketplace("pl", "A1C3SOZRARQ6R3", "documented"),
    Marketplace("com.be", "AMEN7PMS3EDWL", "documented"),
    Marketplace("com.tr", "A33AVAJ2PDY3EV", "documented"),
    Marketplace("ie", "A28R8C7NBKEWEA", "documented"),
    Marketplace("co.jp", "A1VC38T7YXB528", "documented"),
    Marketplace("in", "A21TJRUUN4KGV", "documented"),
    Marketplace("com.au", "A39IBJ37TRP1C6", "documented"),
    Marketplace("sg", "A19VAU5U5O7RUS", "documented"),
    Marketplace("ae", "A2VIGQ35RCS4UG", "documented"),
    Marketplace("sa", "A17E79C6D8DWNP", "documented"),
    Marketplace("eg", "ARBP9OOSHTCHU", "documented"),
    Marketplace("co.za", "AE08WJ6YKNBMC", "seen"),
)

MARKETPLACE_BY_ID: dict[str, str] = {place.id: place.domain for place in MARKETPLACES if place.id}

# A From must have exactly one of these domains.
AMAZON_DOMAINS: frozenset[str] = frozenset(place.domain for place in MARKETPLACES)

# Country-code top-level domains (ISO 3166-1, and "uk" and "eu").
_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq br bs bt bv bw by bz
ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo
fr ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm
jo jp ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk ml mm mn mo mp mq
mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re
ro rs ru rw sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt
tv tw tz ua ug uk um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""

# By Amazon's naming rule. A new marketplace is not trusted as a sender, but its aliases are recognised.
POSSIBLE_MARKETPLACES: frozenset[str] = AMAZON_DOMAINS | {
    f"amazon.{form}{country}" for country in _COUNTRIES.split() for form in ("", "co.", "com.")
}

# The domains of buyers' aliases. "m." was seen only for Japan.
ALIAS_DOMAINS: frozenset[str] = frozenset(
    f"{prefix}marketplace.{domain}" for domain in POSSIBLE_MARKETPLACES for prefix in ("", "m.")
)

# The senders of opt-out notices. Seen: auto-communication@amazon.com for an Italian order; similar mails come from the
# marketplace's own domain. Copies of sellers' messages formerly had this sender too.
NOTICE_SENDERS: frozenset[str] = frozenset(f"auto-communication@{domain}" for domain in AMAZON_DOMAINS)

# Prefixes of local parts that are never a buyer's: machines, the shared address of all business customers, and aliases
# that other tools made invalid on purpose.
NEVER_A_BUYER: tuple[str, ...] = (
    "no-reply",
    "noreply",
    "do-not-reply",
    "donotreply",
    "blacklisted-",
    "mailer-daemon",
    "mailerdaemon",
    "postmaster",
)
