"""The English sentences of the page, by key. Their translations are in ``locale/``."""

from oauth_web.texts.languages import catalogue, formatted
from worker.sentences import filled

ENGLISH = {
    "app.name": "buyerblock",
    "app.skip": "Skip to the content",
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
    "welcome.link_lead": (
        "This page has no owner yet. To show that it is yours, open the link that buyerblock printed when it was "
        "started. It is in the terminal, or in the log if it is a service."
    ),
    "link.used": "That link was used already. The next one has just been printed.",
    "link.wrong": "That link is not, or no longer, the one of this page.",
    # Sign-in
    "sign_in.again": "Sign in again",
    "sign_in.try_again": "Try again",
    "sign_in.problem": "You are not signed in",
    "sign_in.stale": (
        "This sign-in was used already, took more than ten minutes or was started in another browser; "
        "please start again."
    ),
    "sign_in.denied": "You chose not to give access at Google, so nothing was connected.",
    "sign_in.renamed": (
        "This seems to be a connected mailbox under its new address, {email}. To show that the page is yours, open the "
        "link that has just been printed in the terminal, or in the log of the service; then sign in again."
    ),
    "sign_in.stranger": (
        "This page belongs to somebody else, so {email} was not let in and nothing of it was kept. An owner of the "
        "page can let it in under Settings, or connect it as a further mailbox."
    ),
    "sign_in.closed": (
        "{email} gets no list here, so it was not let in and nothing of it was kept. Ask whoever runs this site to let "
        "it in, or an owner of a list to add it under Settings; then sign in again."
    ),
    "sign_in.connected": "{email} is connected; its mail is being checked.",
    "sign_in.not_listed": (
        "{email} is not on the list of who may enter. Have an owner of this page add it under Settings, then sign in "
        "again."
    ),
    "welcome.only": "Somebody let you in to see the page, and no mailbox of yours belongs to it?",
    "welcome.only_button": "Sign in without a mailbox",
    "connect.title": "Connect {email}?",
    "connect.another": (
        "You wanted to sign in {account} again, and chose {email} at Google, whose mail is not read here yet."
    ),
    "connect.new": "You are signed in. The mail of {email} is not read here yet.",
    "connect.what": (
        "Connected, it gets two filters and three labels, Amazon's notices in it are put aside, and it may be used to "
        "sign in here."
    ),
    "connect.yes": "Connect {email}",
    "connect.no": "Do not connect it",
    "connect.dropped": "{email} was not connected, and nothing in it was changed.",
    "connect.stale": "This question was answered already or is older than ten minutes; please sign in again.",
    "invited.title": "Whose list do you want to see?",
    "invited.by_seller": "{seller} has invited you to their block list.",
    "invited.by": "{by} has invited you to the block list of {seller}.",
    "invited.before": "You have worked with the block list of {seller} before.",
    "invited.what": (
        "Join only if you know these people. They get nothing of {email} before you join; to connect its mailbox is a "
        "question of its own, which comes after that."
    ),
    "invited.own": (
        "Or have a block list of your own, which nobody else sees. With one of your own you cannot join another."
    ),
    "invited.join": "Join {seller}",
    "invited.have_own": "Have a list of my own",
    "invited.leave": "Neither; leave",
    "invited.leave_all": "Leave",
    "invited.left": "You joined nobody, nothing was connected, and you are not signed in.",
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
    "home.accounts": "Mailboxes",
    "home.blocked_one": "buyer is blocked",
    "home.blocked": "buyers are blocked",
    "home.connect": "Connect a mailbox",
    "home.connect_another": "Connect another mailbox",
    "home.check_now": "Check now",
    "home.checking": "Every mailbox is being checked.",
    "home.newer": "Is there a newer version?",
    "home.is_newer": "Version {version} is there; get it as you got this one.",
    "home.is_newest": "This is the newest version.",
    "state.none": "No mailbox is connected yet.",
    "state.needs": "{count} things need you.",
    "state.needs_one": "One thing needs you.",
    "state.problem": "A check did not succeed. It is tried again by itself.",
    "state.working": "Your mail is being read.",
    "state.waiting": "The first check is about to start.",
    "state.ok": "All is well. Checked {when}.",
    "home.queued": "{count} notices wait to be read.",
    "home.queued_one": "1 notice waits to be read.",
    "home.problems": "What needs you",
    "account.ok": "Checked {last}, next {next}.",
    "account.ok_unplanned": "Checked {last}.",
    "account.waiting": "Connected; the first check is about to start.",
    "account.working": "Reading notices: {done} of {total}, {found} opt-outs found, {left} to go.",
    "account.working_start": "Being checked right now.",
    "account.progress": "Progress of {email}",
    "account.disconnect": "Disconnect",
    "reason.opted_out": "opted out",
    "reason.manual": "blocked by you",
    "reason.imported": "imported",
    # Disconnect
    "disconnect.title": "Disconnect {email}",
    "disconnect.lead": (
        "buyerblock gives its access back to Google and stops checking this mailbox. The block list stays."
    ),
    "disconnect.undo": "Also remove its labels and filters from the mailbox; the mail itself stays.",
    "disconnect.days": "Notices of how many days go back into the inbox first? (0 for none)",
    "disconnect.bad_days": "Enter a whole number of days, from 0 to {most}.",
    "disconnect.cancel": "Keep it connected",
    "disconnect.done": "{email} is disconnected.",
    # Errors
    "error.title": "That did not work",
    "error.home": "Go to the home page",
    "error.back": "Back to the form",
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
    "error.unexpected": "Something unexpected went wrong; the log says more.",
    "error.closed": (
        "buyerblock cannot do this at the moment. Its log and the command “buyerblock status”, on the machine that "
        "it runs on, say why."
    ),
    "monitoring.closed": (
        "These numbers name the accounts: show a token of the API in a header such as: "
        "Authorization: Bearer buyerblock_..."
    ),
    # Times
    "time.now": "just now",
    "time.soon": "in a moment",
    "nav.label": "Pages",
    "help.label": "Help pages",
    "help.english": "These pages are in English.",
    "nav.home": "Home",
    "nav.blocks": "Block list",
    "nav.review": "Review",
    "nav.waiting": "waiting for you",
    "nav.undelivered": "Did not arrive",
    "nav.settings": "Settings",
    "nav.help": "Help",
    "nav.sign_out": "Sign out",
    "search": "Search",
    "and_more": "and {count} more",
    "remove": "Remove",
    "failing_one": "Failed once: {problem}",
    "failing": "Failed {count} times in a row: {problem}",
    "removed_already": "It was removed already.",
    "undo": "Undo",
    "save": "Save",
    "copy": "Copy",
    "copied": "Copied",
    "pager.label": "Pages of the list",
    "pager.previous": "Previous",
    "pager.next": "Next",
    "pager.place": "Page {number} of {last}",
    "home.unfinished": "Is everything in place?",
    "home.weeks": "Opt-outs by week",
    "home.no_weeks": "No opt-outs in the last {count} weeks.",
    "home.other": "other",
    "home.as_table": "The same as a table",
    "home.week": "Week of",
    "home.sum": "All",
    "home.newest": "Newest",
    "home.this_week": "{count} buyers have opted out since Monday.",
    "home.this_week_one": "1 buyer has opted out since Monday.",
    "home.all": "The whole list",
    # The list
    "blocks.find": "Find",
    "blocks.search": "Search for an address, an order or a note",
    "blocks.narrow": "Filter and sort",
    "blocks.any": "Any",
    "blocks.account": "Account",
    "blocks.sort": "Sort by",
    "blocks.order": "Direction",
    "order.down": "Downwards",
    "order.up": "Upwards",
    "sort.first_seen": "First notice",
    "sort.last_seen": "Latest notice",
    "sort.key": "Buyer",
    "sort.notices": "Number of notices",
    "blocks.count": "{count} buyers",
    "blocks.count_one": "1 buyer",
    "blocks.downloads": "Download",
    "blocks.download_csv": "{count} buyers as CSV",
    "blocks.download_csv_one": "1 buyer as CSV",
    "blocks.download_xlsx": "Excel workbook",
    "blocks.download_bom": "CSV for Excel on Windows",
    "blocks.seen_since": "Last seen since",
    "blocks.from": "Blocked from",
    "blocks.to": "Blocked until",
    "blocks.last": "Latest notice",
    "blocks.other_formats": "Other formats",
    "blocks.buyer": "Buyer",
    "blocks.orders": "Orders",
    "blocks.marketplace": "Marketplace",
    "blocks.reason": "Reason",
    "blocks.since": "Blocked since",
    "blocks.note": "Note",
    "blocks.unknown": "address not known yet",
    "blocks.none": "No buyer has opted out so far.",
    "blocks.none_found": "Nothing matches; try fewer letters, or another filter.",
    "block.title": "Block a buyer",
    "block.keys": "Buyer's address or order ID",
    "block.note": "Note for yourself",
    "block.button": "Block",
    "block.many": "Block many at once",
    "block.how_many": (
        "Enter at least one address or order ID, and at most {most}; more go through the import."
    ),
    "block.done": "{new} blocked, {known} known already.",
    "unblock.button": "Unblock",
    "unblock.done": "{key} is unblocked; only a newer notice blocks this buyer again.",
    "unblock.done_all": "{count} buyers are unblocked; only newer notices block them again.",
    "unblock.undone_one": "{count} buyer is blocked again.",
    "unblock.undone": "{count} buyers are blocked again.",
    "unblock.all_found": "All {count} buyers that were found, on all pages",
    "note.edit": "Edit note",
    "note.cancel": "Cancel",
    "note.edit_one": "Edit the note about {key}",
    "note.done": "The note about {key} is saved.",
    "unblock.ticked": "Unblock ticked buyers",
    "unblock.tick_all": "Tick all buyers on this page",
    "unblock.tick": "Tick {key}",
    "unblock.none_ticked": "No buyer was ticked.",
    "unblock.none": "{key} is not on the block list.",
    "detail.back": "Back to the list",
    "detail.opted_out": "Amazon's notice says that this buyer opted out.",
    "detail.manual": "Blocked by you.",
    "detail.imported": "Came with an import.",
    "detail.unknown": (
        "Only the order is known yet; the address is filled in as soon as a mail in your mailbox shows it."
    ),
    "detail.allowed": "Still allowed",
    "detail.still_allowed": (
        "Answers to messages that the buyer writes, and Seller Central's templates for critical messages."
    ),
    "detail.notices": "Notices: {count}",
    "detail.notice": "notice to {account}.",
    "detail.order": "It is about order {order}.",
    "detail.sent_on": "Your message of {day} did not arrive.",
    "detail.open": "Open in Gmail",
    "detail.opens": "(opens a new tab)",
    "detail.no_notice": "No notice from Amazon is known for this buyer.",
    # Import
    "import.text": "Paste addresses or order IDs",
    "import.hint": (
        "One a line, or a table with columns, or an export of another tool. You see what would happen "
        "before anything changes."
    ),
    "import.file": "Or choose a file",
    "import.preview": "Preview",
    "import.pasted": "pasted text",
    "import.empty": "There is nothing to import; paste something or choose a file.",
    "import.stale": "This preview is no longer kept; please choose the file again.",
    "import.done": "{added} blocked; {resolved} addresses found for known orders.",
    "import.undone": "The import was taken back: {count} entries removed.",
    "import.made": "Imports so far",
    "import.added": "{count} blocked",
    "import.was_undone": "taken back",
    "import.undo_one": "Undo the import of {source}",
    "preview.title": "What would happen",
    "preview.adds": "Would be blocked",
    "preview.known": "Blocked already",
    "preview.unblocked": "Unblocked by you earlier, and left so",
    "preview.resolves": "Orders whose buyer would become known",
    "preview.duplicates": "Named more than once",
    "preview.rejected": "Lines without a key",
    "preview.button": "Import",
    "preview.back": "Choose something else",
    "preview.nothing": "Nothing would change.",
    "preview.why": "What could not be read",
    "preview.line": "Line",
    "preview.reason": "Why",
    "preview.keys": "Show what would be blocked",
    # Did not arrive
    "undelivered.lead": (
        "Amazon refused to deliver these messages of yours because the buyer opted out. If one held an "
        "invoice or something the buyer needs, send it through Seller Central's templates for critical "
        "messages."
    ),
    "undelivered.count": "{count} messages",
    "undelivered.csv": "Download as CSV",
    "undelivered.order": "Order",
    "undelivered.sent": "You sent it",
    "undelivered.told": "Amazon told you",
    "undelivered.marketplace": "Marketplace",
    "undelivered.buyer": "Buyer",
    "undelivered.mail": "Notice",
    "undelivered.none": "Every message has arrived, as far as Amazon's notices say.",
    # Review
    "home.done": "Done",
    "home.told_no_more": "You will be notified again when notices have come and stop once more.",
    "home.told_again": "You will be notified again that notices have stopped.",
    "review.lead": (
        "These mails look like notices, but not enough to block anyone. Nobody is blocked by them unless "
        "you say so."
    ),
    "review.lead_dismissed": "You decided that these mails are no notices. Each can wait for you again.",
    "review.lead_blocked": (
        "You blocked the buyers that these mails name. Taken back, a mail waits again, and its buyer is unblocked "
        "if nothing else has blocked him."
    ),
    "review.states": "What to show",
    "state_of.waiting": "Waiting",
    "state_of.dismissed": "Dismissed",
    "state_of.blocked": "Blocked",
    "review.search": "Search for a subject, a sender, an address or an order",
    "review.group": "How likely",
    "group.genuine": "Probably genuine",
    "group.forwarded": "Forwarded",
    "group.forged": "Probably forged",
    "group_hint.genuine": (
        "Amazon sent them, as far as your mail server knows, but we are not sure what they say. Read them, then block "
        "their buyers."
    ),
    "group_hint.forwarded": (
        "They are as true as whoever passed them on. Trust somebody, and all mail passed on by that address is judged "
        "again."
    ),
    "group_hint.forged": "Nothing proves that Amazon sent them. Dismiss them, unless you know better.",
    "review.count": "{count} mails",
    "review.count_one": "1 mail",
    "review.whole_group": "Show all {count}",
    "review.all_groups": "All groups",
    "review.none": "Nothing waits for you.",
    "review.none_found": "No mail is found here.",
    "review.no_subject": "(no subject)",
    "review.no_sender": "(no sender)",
    "review.sender": "From",
    "review.received": "Received",
    "review.block_one": "Block the buyer of “{subject}”",
    "review.dismiss": "Dismiss",
    "review.dismiss_one": "Dismiss “{subject}”",
    "review.restore": "Take back",
    "review.restore_one": "Take back the decision about “{subject}”",
    "review.trust": "Trust",
    "review.trust_one": "Trust {person}",
    "review.nobody_to_trust": "Nobody whom you could trust passed these mails on.",
    "review.read": "Read",
    "review.read_one": "Read “{subject}”",
    "review.gmail": "Gmail",
    "review.gmail_one": "Gmail: open “{subject}” in a new tab",
    "review.text": "Text of the mail",
    "review.text_hint": "Only its text is shown, as it was written. What it says may be untrue: use none of its links.",
    "review.no_text": "This mail has no text that can be shown; look at it in Gmail.",
    "review.gone": "This mail is no longer in the mailbox.",
    "review.not_read": "The mail cannot be shown now; try again in a minute, or look at it in Gmail. {problem}",
    "review.back": "Back to Review",
    "review.keys": "Keys: j and k go to the next mail and back, b blocks, d dismisses.",
    "review.all": "Tick all {count}",
    "review.ticked": "With all ticked mails:",
    "review.block_ticked": "Block buyers",
    "review.none_chosen": "No mail was ticked, or it was decided about already.",
    "review.changed": "Meanwhile there is another number of mails; please look again.",
    "review.blocked": "{count} blocked.",
    "review.blocked_some": "{count} blocked; {left} name no buyer and stay here.",
    "review.dismissed": "{count} dismissed.",
    "review.restored": "{count} mails wait again.",
    "review.restored_one": "1 mail waits again.",
    "review.trusted": (
        "{person} is trusted from now on. {count} mails that were passed on by this address are judged again; they "
        "wait here until then."
    ),
    "review.trusted_one": (
        "{person} is trusted from now on. The mail that was passed on by this address is judged again; it waits here "
        "until then."
    ),
    "review.distrusted": "{person} is no longer trusted. Buyers that were blocked meanwhile stay blocked.",
    # Settings
    "settings.sections": "Sections of the settings",
    "section.mailboxes": "Mailboxes",
    "section.general": "Checking and expiry",
    "section.people": "Who may enter",
    "section.tokens": "Access for programs",
    "section.copies": "Copies",
    "section.gate": "Mail gate",
    "section.notifications": "Notifications",
    "section.webhook": "Webhook",
    "section.backup": "Backup and restore",
    "settings.no_accounts": "No account is connected.",
    "personal.title": "Personal address",
    "personal.hint": (
        "Notices and forwards to this address reach this account and are read. Give it to Seller Central "
        "under “add another address”, or to colleagues for their forwarding rules."
    ),
    "personal.copy": "Copy the personal address of {email}",
    "forwarding.label": "Forward notices to another tool as well",
    "forwarding.none": (
        "Leave it empty to forward to nobody. Gmail forwards only to addresses that you verified in its "
        "own settings, under “Forwarding and POP/IMAP”."
    ),
    "forwarding.on": (
        "Set. From now on the filter forwards to it; if Gmail does not list it as verified, the home "
        "page says so."
    ),
    "forwarding.saved": "Notices of {email} will be forwarded to {address}.",
    "forwarding.off": "Notices of {email} are forwarded to nobody.",
    "reading.label": "Mark notices as read when they leave the inbox",
    "reading.on": "Notices of {email} are marked as read from now on.",
    "reading.off": "Notices of {email} stay unread.",
    "trusted.label": "Trusted forwarders",
    "trusted.hint": (
        "One address a line. Notices that these people forward count; forwards from anybody else wait "
        "under Review."
    ),
    "trusted.saved": "The trusted forwarders of {email} are saved.",
    "trusted.too_many": "At most {most} addresses can be trusted.",
    "redirectors.label": "Trusted redirectors",
    "redirectors.hint": (
        "One a line: the address of a Google Group or forwarding service that puts itself in place of the sender, or "
        "the domain of one that changes mail and seals it (ARC). What they say of the first sender is believed; mail "
        "that others redirect waits under Review."
    ),
    "redirectors.saved": "The trusted redirectors of {email} are saved.",
    # Settings: how often to look
    "interval.title": "How often to look",
    "interval.label": "Check every mailbox every",
    "interval.hint": "A look at a mailbox with nothing new costs next to nothing of Gmail's quota.",
    "interval.bad": "Choose a whole number of seconds from {least} to {most}.",
    "interval.saved": "Every mailbox is checked every {span} from now on.",
    # Settings: language
    "language.title": "Language",
    "language.label": "Language of this page",
    "language.browser": "As the browser asks",
    "language.hint": "The help pages and the API are in English.",
    "language.saved": "The language of the page is saved.",
    # Settings: expiry
    "expiry.title": "Expiry",
    "expiry.label": "Unblock buyers so many days after their latest notice",
    "expiry.hint": (
        "{fewest} to {most} days, counted to your newest notice; it concerns the buyers that you blocked yourself, "
        "too. Leave it empty to keep all of them: no notice says that a buyer wants messages again, so that is the "
        "safe choice. A newer notice always blocks again. You are asked before more than a tenth of the list ends at "
        "once."
    ),
    "expiry.ask": "{count} of {of} blocks are older than that.",
    "expiry.agree": "Unblock these {count} buyers now",
    "expiry.done": "Unblocked: {count} buyers.",
    "expiry.changed": "Meanwhile it is another number of blocks; please look again.",
    "expiry.expired": "Unblocked by expiry so far: {count} buyers.",
    "expiry.undo": "Block them again, and let no block expire",
    "expiry.undone": "Blocked again: {count} buyers. Blocks no longer expire.",
    "expiry.bad": "Enter the days as a whole number from {least} to {most}, or nothing at all.",
    "expiry.saved": "Buyers will be unblocked {days} days after their latest notice.",
    "expiry.never": "Blocks never expire.",
    # Settings: who may enter
    "people.lead": (
        "Each of these Google accounts can sign in here. A mailbox that an owner connects is one more account of that "
        "owner. Who is removed is signed out at once; a mailbox that is connected stays connected."
    ),
    "people.role_full": "may do everything",
    "people.role_read": "may only read",
    "people.account_of": "another account of {person}",
    "people.you": "this is you",
    "people.email": "Google address",
    "people.role": "May",
    "people.may_read": "only read",
    "people.may_all": "do everything",
    "people.add": "Let in",
    "people.hint": (
        "Write it as Google shows it. Nothing is sent to this address: tell the person to open this page and to sign "
        "in with Google."
    ),
    "people.added": "{email} may enter, as soon as they sign in with Google.",
    "people.known": "{email} may enter already; to change what this account may do, remove it first.",
    "people.remove_one": "Remove {email}",
    "people.removed": "Removed and signed out: {email}.",
    "people.last": "Nobody was removed: there must be somebody who may do everything.",
    "people.not_yourself": "You cannot remove yourself; another owner can.",
    "people.only_reads": (
        "You may see everything here and change nothing. Ask an owner of this page to do it, or to let you in with "
        "full rights under Settings."
    ),
    "people.reader": "You may only read",
    # Settings: tokens
    "tokens.title": "Access for your tools",
    "tokens.lead": (
        "A token lets a program of yours ask the list over the HTTP API, or change it. Make one for each "
        "program, so that you can revoke it alone."
    ),
    "tokens.name": "Name of the program",
    "tokens.scope": "It may",
    "tokens.read": "read: check, list and export",
    "tokens.write": "write: block and unblock too",
    "tokens.make": "Make a token",
    "tokens.made_title": "The token for {name}",
    "tokens.made": (
        "Copy it now: it is shown this once, and cannot be looked up later. The program sends it with each "
        "request, in this header:"
    ),
    "tokens.made_on": "made on",
    "tokens.used": "last used {when}",
    "tokens.unused": "never used",
    "tokens.revoke": "Revoke",
    "tokens.revoke_one": "Revoke the token for {name}",
    "tokens.revoked": "The token for {name} is revoked; whoever shows it is refused from now on.",
    "tokens.none": "There is no token of that name any more.",
    "tokens.api": "Description of the API (OpenAPI)",
    # Settings: notifications
    "notifications.lead": (
        "Get notified of problems where you read: once when one begins, and once when it is over. The page shows them "
        "in any case."
    ),
    "notifications.mailbox": "By mail to a connected mailbox",
    "notifications.messenger": "By a messenger: its address",
    "notifications.hint": (
        "Slack, Telegram, Discord, ntfy and many others, with addresses as Apprise writes them. It is kept "
        "sealed, and shown nowhere again."
    ),
    "notifications.services": "All services and their addresses",
    "notifications.add": "Add",
    "notifications.test": "Send a test",
    "notifications.remove": "Remove",
    "notifications.added": "{name} gets notifications from now on; send it a test.",
    "notifications.taken": "{name} took the test.",
    "notifications.not_taken": "{name} did not take the test: {problem}",
    "notifications.removed": "It gets no more notifications.",
    "notifications.summary": "Summary of the week",
    "notifications.summary_lead": (
        "How many buyers opted out, and what waits for you, in the morning of this day. Nothing is sent when "
        "nothing happened."
    ),
    "notifications.day": "Day",
    "notifications.never": "No summary",
    "notifications.day_saved": "The day of the summary is saved.",
    # Settings: webhook
    # Copies
    "copies.title": "Files",
    "copies.lead": (
        "Copies of the list that keep themselves: buyerblock rewrites each file within seconds after a change. This "
        "page puts them into a folder of their own; the command “buyerblock publish add” can name any other place."
    ),
    "copies.name": "Name of the file",
    "copies.no_name": "Give the file a name, such as blocks.csv.",
    "copies.format": "Format",
    "copies.narrow": "Only some of the buyers",
    "copies.add": "Add a copy",
    "copies.added": "{path} was written with {count} buyers, and will be again after every change.",
    "copies.added_one": "{path} was written with 1 buyer, and will be again after every change.",
    "copies.holds": "{count} buyers.",
    "copies.holds_one": "1 buyer.",
    "copies.written": "Written {when}.",
    "copies.unwritten": "Not written yet.",
    "copies.remove_one": "Remove the copy {path}",
    "copies.removed": "{path} is written no more. The file is still there.",
    "copies.addresses": "Addresses",
    "copies.addresses_lead": (
        "For programs that can only fetch an address, such as Google Sheets (IMPORTDATA) and Excel (From Web). Whoever "
        "has an address can read the list, and do nothing else. Google can reach it only if this page is on the "
        "internet."
    ),
    "copies.address_name": "Name of the program or file",
    "copies.make_address": "Make an address",
    "copies.address_title": "The address of the list",
    "copies.address_made": (
        "It is shown only now. Keep it like a password: it opens the list. Add &marketplace=amazon.it, &account=, "
        "&reason=, &since= or &q= to narrow what it holds."
    ),
    "copies.revoke_one": "Revoke the address for {name}",
    "copies.address_revoked": "The address for {name} is revoked; nobody gets the list by it any more.",
    "download.refused": "This address holds no token that is in force; make a new one under Settings, Copies.",
    "download.too_many": "Too many requests; try again in a minute.",
    "download.no_format": "There is no such format; choose one of {formats}.",
    "webhook.lead": (
        "buyerblock can tell an address of yours of every block and unblock within seconds, and of problems. The "
        "messages are signed as the Standard Webhooks specification says."
    ),
    "webhook.url": "Address (https)",
    "webhook.private": "It may be in a private network",
    "webhook.set": "Set",
    "webhook.change": "Change the address or the secret",
    "webhook.change_hint": "This makes a new secret; the current one stops working.",
    "webhook.made_title": "The webhook's secret",
    "webhook.made": (
        "Copy it now: it is shown this once, and cannot be looked up later. With it the other side checks that a "
        "message comes from here:"
    ),
    "webhook.to": "Changes are sent to",
    "webhook.well": "No message has failed.",
    "webhook.next": "Next try {when}.",
    "webhook.paused": (
        "It was tried for a day and is paused. Nothing is lost: once resumed, it goes on where it stopped."
    ),
    "webhook.test": "Send a test",
    "webhook.resume": "Try again now",
    "webhook.remove": "Remove",
    "webhook.taken": "The test was taken.",
    "webhook.not_taken": "The test was not taken: {problem}",
    "webhook.resumed": "The next message is sent within seconds.",
    "webhook.removed": "The webhook is removed; nothing is sent any more.",
    # Settings: the gate
    "gate.title": "Gate for tools that cannot ask",
    "gate.lead": (
        "A mail server on this computer for your tools: buyers on the block list are refused, all other mail goes on "
        "to your own outgoing server unchanged. Name it in your tools in place of that server."
    ),
    "gate.on": "Your tools send by",
    "gate.port_word": "port",
    "gate.sign_in": "they sign in as",
    "gate.sent": "Sent so far: {count} recipients.",
    "gate.sent_one": "Sent so far: 1 recipient.",
    "gate.refused": "Refused: {count}.",
    "gate.marked": "Sent to blocked buyers because the mail was marked as critical or as a reply: {count}.",
    "gate.not_taken": "Not taken by your outgoing server: {count}.",
    "gate.lately": "Refused lately",
    "gate.test": "Test your outgoing server",
    "gate.reached": "Your outgoing server lets the gate in.",
    "gate.not_reached": "The test failed: {problem}",
    "gate.new_password": "Make a new password for your tools",
    "gate.change": "Set up the gate",
    "gate.upstream": "Your outgoing server (SMTP)",
    "gate.port": "Its port",
    "gate.tls": "Encryption",
    "gate.implicit": "TLS (port 465)",
    "gate.starttls": "STARTTLS (port 587)",
    "gate.none": "None (this computer only)",
    "gate.user": "User there",
    "gate.password": "Password there",
    "gate.own_port": "Port of the gate",
    "gate.hint": "Leave the password empty to keep it; for another server or user write it again.",
    "gate.enabled": "Run the gate",
    "gate.saved": "The gate is saved; a change takes effect within seconds.",
    "gate.bad_port": "A port is a whole number from 1 to 65535.",
    "gate.marks": (
        "A tool that marks critical mail and replies signs in as {user} with the same password; marked mail goes to "
        "blocked buyers as well."
    ),
    "gate.more": "How tools mark mail",
    "gate.made_title": "The password for your tools",
    "gate.made": (
        "Copy it now: it is shown this once, and cannot be looked up later. Your tools sign in to the gate as {user}, "
        "or as {marked} if they mark critical mail and replies:"
    ),
    # Settings: backup
    "backup.title": "Backup",
    "backup.lead": (
        "One file with the block list, the accounts and these settings. With a passphrase it is encrypted and "
        "holds the key to your mailboxes as well; without one, each account signs in again after a restore "
        "on another machine."
    ),
    "backup.passphrase": "Passphrase",
    "backup.again": "The same once more",
    "backup.hint": (
        "Optional; at least {shortest} characters. If you forget it, nobody can open the file, not even you."
    ),
    "backup.button": "Download a backup",
    "backup.differ": "The two passphrases differ; please type the same one twice.",
    "backup.elsewhere": (
        "A buyerblock on a computer of your own restores it by itself. Here it is done by whoever runs this site."
    ),
    "restore.open": "Restore a backup",
    "restore.file": "Backup file",
    "restore.passphrase": "Its passphrase, if it has one",
    "restore.sure": "Replace the current block list, accounts and settings",
    "restore.button": "Restore",
    "restore.hint": (
        "The file is checked first. What is there now is kept in a folder, everybody is signed out, and mail that came "
        "since the backup is read again. A file above 32 MB takes the command: buyerblock restore FILE"
    ),
    "restore.no_file": "Choose the backup file first.",
    "restore.unsure": "Tick the box to confirm that everything here may be replaced.",
    "restore.this": "This file",
    "restore.title": "The backup is being restored",
    "restore.holds": "Made on {day}. Buyers on its block list: {blocks}; accounts: {accounts}.",
    "restore.kept": "What was there before is kept in",
    "restore.no_key": "The key to the mailboxes is not in it: if an account asks for it, sign in again.",
    "restore.after": "buyerblock restarts, which takes a few seconds; then sign in again.",
    "settings.back": "Back to the settings",
    "error.address": "“{address}” is no mail address.",
    # Setup
    "setup.title": "Set-up",
    "setup.lead": (
        "To read your mail, buyerblock needs a key of your own from Google. It costs nothing and takes "
        "a few minutes; nobody but you has access."
    ),
    "setup.ready": "The client file is here and looks right.",
    "setup.brought": "The host of this page has done the set-up for you.",
    "setup.again": "Set up again, with another client file",
    "setup.this": "This",
    "setup.step1": "A project with the Gmail API",
    "setup.project": "Create a project",
    "setup.then": "Any name will do. Then",
    "setup.api": "enable the Gmail API",
    "setup.step2": "The consent screen",
    "setup.consent": "Set up the consent screen",
    "setup.consent_how": (
        "Choose any name for the app, your own address for support, and “External” as audience."
    ),
    "setup.publish": "Then press “Publish app”, so that the status is “In production”:",
    "setup.audience": "audience and status",
    "setup.testing": (
        "While the status is “Testing”, Google signs you out every seven days. Google's warning that the "
        "app is unverified is about your own app; you may pass it."
    ),
    "setup.step3": "The client file",
    "setup.client": "Create a client",
    "setup.desktop": "Choose the type “Desktop app”.",
    "setup.web": "Choose the type “Web application”, and add this under “Authorized redirect URIs”:",
    "setup.hand_over": (
        "Press “Download JSON” before you close that window, because Google shows the client's secret only "
        "there. Then give the file to this page:"
    ),
    "setup.file": "The downloaded file",
    "setup.text": "Or paste its content",
    "setup.button": "Check and continue",
    "preflight.title": "Is everything in place? {email}",
    "preflight.done": "in place",
    "preflight.open": "not yet",
    "preflight.bad": "needs you",
    "preflight.api": "The Gmail API is enabled",
    "preflight.scopes": "Google grants what is needed",
    "preflight.rules": "Labels and filters are in the mailbox",
    "preflight.pass": "The first check is done",
    "preflight.notices": "Amazon's notices come in",
    "remedy.api": "Enable it in your Google Cloud project:",
    "remedy.scopes": "Sign in again and tick every box:",
    "remedy.rules": "They are made with the first check, within a minute.",
    "remedy.pass": (
        "It runs by itself; a large mailbox takes its time, and the home page shows how far it is."
    ),
    "remedy.notices": (
        "None has been seen yet. See to it that “Buyer Opt-Out” is switched on in Seller Central, under "
        "Notification Preferences, Messaging:"
    ),
    "remedy.seller_central": "open Notification Preferences",
}


def text(name: str, /, **values: object) -> str:
    """Return a sentence in the reader's language with its values, as plain text that templates have to escape.

    Whole numbers and dates are formatted for the language. A sentence with a number has the two keys ``name_one`` and
    ``name``; the value ``count`` selects the plural form of the language.
    """
    one, count = ENGLISH.get(f"{name}_one"), values.get("count")
    if one is not None and isinstance(count, int):
        return filled(catalogue().ngettext(one, ENGLISH[name], count), values, formatted)
    return filled(catalogue().gettext(ENGLISH[name]), values, formatted)
