"""The sentences of the page in English. To translate it, translate this table."""

ENGLISH = {
    "app.name": "buyerblock",
    "app.purpose": "Keeps the list of buyers who opted out of your messages, straight from your Gmail.",
    "app.skip": "Skip to the content",
    "nav.label": "Pages",
    "nav.home": "Home",
    "nav.blocks": "Block list",
    "nav.sign_out": "Sign out",
    # The way in
    "welcome.title": "Sign in",
    "welcome.lead": (
        "Amazon does not deliver your messages to buyers who opted out. buyerblock finds Amazon's notices "
        "in your Gmail and keeps the list of those buyers for you."
    ),
    "welcome.button": "Sign in with Google",
    "welcome.rights": (
        "Google will ask for two things: to label your mail, and to keep two filters. Please tick both "
        "boxes. No mail is ever deleted or sent."
    ),
    "welcome.code_lead": (
        "You are not at the machine that runs buyerblock. To show that it is yours, enter the code that "
        "now stands on its terminal."
    ),
    "welcome.code": "Code from the terminal",
    "welcome.code_button": "Continue",
    "welcome.code_wrong": (
        "That is not the code; please look at the terminal again, a new one may stand there."
    ),
    # Sign-in
    "sign_in.again": "Sign in again",
    "sign_in.try_again": "Try again",
    "sign_in.problem": "You are not signed in",
    "sign_in.stale": (
        "This sign-in was used already, took more than ten minutes or was begun in another browser; "
        "please start again."
    ),
    "sign_in.denied": "You chose not to give access at Google, so nothing was connected.",
    "sign_in.refused": "Google refused the sign-in ({reason}).",
    "sign_in.stranger": (
        "This page belongs to somebody else, so {email} was not let in and nothing of it was kept. To "
        "connect it as a further account, its owner signs in first."
    ),
    "sign_in.connected": "{email} is connected; its mail is being checked.",
    "unticked.title": "A box was left unticked",
    "unticked.lead": "Google did not grant everything that is needed:",
    "unticked.modify": (
        "“Read, compose and send emails from your Gmail account”: to read Amazon's notices and to label "
        "them. buyerblock never sends or deletes mail."
    ),
    "unticked.settings": (
        "“See, edit, create or change your email settings and filters”: to keep the two filters that put "
        "Amazon's notices aside."
    ),
    "unticked.after": "Please sign in again and tick every box.",
    # Home
    "home.title": "Home",
    "home.accounts": "Accounts",
    "home.blocked_one": "buyer is blocked",
    "home.blocked": "buyers are blocked",
    "home.connect": "Connect another account",
    "home.queued": "{count} notices wait to be read.",
    "home.queued_one": "1 notice waits to be read.",
    "home.problems": "What needs you",
    "account.ok": "Checked {last}, next {next}.",
    "account.ok_unplanned": "Checked {last}.",
    "account.waiting": "Connected; the first check is about to start.",
    "account.working": "Reading notices: {done} of {total}.",
    "account.working_start": "Being checked right now.",
    "account.progress": "Progress of {email}",
    "account.disconnect": "Disconnect",
    # The list
    "blocks.title": "Block list",
    "blocks.search": "Search for an address, an order or a note",
    "blocks.search_button": "Search",
    "blocks.download": "Download as JSON",
    "blocks.buyer": "Buyer",
    "blocks.orders": "Orders",
    "blocks.marketplace": "Marketplace",
    "blocks.reason": "Reason",
    "blocks.since": "Blocked since",
    "blocks.note": "Note",
    "blocks.unknown": "address not known yet",
    "blocks.none": "No buyer has opted out so far.",
    "blocks.none_found": "Nothing matches “{q}”.",
    "blocks.more": "Only the first {count} are shown; search to narrow them down.",
    "reason.opted_out": "opted out",
    "reason.manual": "blocked by you",
    "reason.imported": "imported",
    # Disconnect
    "disconnect.title": "Disconnect {email}",
    "disconnect.lead": (
        "buyerblock gives its access back to Google and stops checking this mailbox. The block list stays."
    ),
    "disconnect.undo": "Also remove its labels and filters from the mailbox; the mail itself stays.",
    "disconnect.button": "Disconnect",
    "disconnect.cancel": "Keep it connected",
    "disconnect.done": "{email} is disconnected.",
    # Errors
    "error.title": "That did not work",
    "error.home": "Go to the home page",
    "error.csrf": "This form is too old, or it came from another page; please go back, reload and try again.",
    "error.host": (
        "This page is not served under that name; use localhost, or the address in BUYERBLOCK_PUBLIC_URL."
    ),
    "error.403": "This is not yours to see.",
    "error.404": "There is no such page.",
    "error.405": "This page cannot be used that way.",
    "error.413": "That is too large.",
    "error.429": "Too many tries; please wait ten minutes.",
    "error.other": "The request could not be understood.",
    "error.unforeseen": "Something failed that nobody foresaw; the log says more.",
    # Times
    "time.now": "just now",
    "time.soon": "in a moment",
    "time.ago": "{span} ago",
    "time.in": "in {span}",
    "time.day": "{count} day",
    "time.days": "{count} days",
    "time.hour": "{count} hour",
    "time.hours": "{count} hours",
    "time.minute": "{count} minute",
    "time.minutes": "{count} minutes",
    "time.second": "{count} second",
    "time.seconds": "{count} seconds",
}
