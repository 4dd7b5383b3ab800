"""Problems of a mailbox and their sentences. Code decides by the cause, never by the sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from worker.sentences import Sentence, filled

_TRIED_AGAIN = Sentence("{sentence} The next pass tries again.")
# These details are sentences of other parts of the program. They are stored in English, and translated when shown.
_SENTENCE_DETAILS = ("problem", "sentence", "why")


class Cause(Enum):
    """The causes and the templates of their sentences.

    The names are stored with the accounts: renaming a member needs a migration.
    """

    # The sign-in
    SIGN_IN_ENDED = (
        "Google has ended the sign-in (access was removed, the password changed, or the client is still in Testing "
        "status); please sign in again."
    )
    SIGN_IN_NOT_ACCEPTED = "Google no longer accepts the sign-in; please sign in again."
    SIGN_IN_IN_TESTING = (
        "Google gave access until {ends} only, as it does while the OAuth client is in status Testing; press “Publish "
        "app” in Google's console, under Audience, then sign in again."
    )
    SCOPE_MISSING = "Google no longer grants what is needed; please sign in again and tick every box."
    SIGN_IN_FOR_A_TIME = (
        "Your Google Workspace asks for a new sign-in from time to time; please sign in again. Its administrator can "
        "exempt this OAuth client: Admin console, Security, Access and data control, Google Cloud session control."
    )
    CLIENT_UNKNOWN = (
        "Google does not know this OAuth client, or its secret was changed; download the client file again from "
        "Google's console, then sign in again."
    )
    CLIENT_DELETED = (
        "This OAuth client was deleted in Google's console; restore it there, or create a new one and download its "
        "file, then sign in again."
    )
    CLIENT_DISABLED = (
        "This OAuth client is disabled in Google's console; the reason stands there, and it can be enabled again "
        "there."
    )
    CLIENT_OF_WRONG_KIND = (
        "This OAuth client may not sign in here; use one of the type “Desktop app”, or “Web application” behind "
        "https, then sign in again."
    )
    ADMIN_FORBIDS = (
        "The administrator of this Google Workspace does not let this OAuth client read mail; have it trusted in the "
        "Admin console under Security, Access and data control, API controls."
    )
    FOR_MEMBERS_ONLY = (
        "This OAuth client is for accounts of its own organisation only; connect one of those, or choose “External” "
        "in Google's console, under Audience."
    )
    ADVANCED_PROTECTION = (
        "Google's Advanced Protection lets no app that Google has not verified read this mailbox; connect another "
        "one, or leave Advanced Protection."
    )
    NOT_RENEWED = "Google did not renew the sign-in; it says: {words}."
    SEALED_WITH_ANOTHER_KEY = (
        "The stored sign-in cannot be opened with the present secret key. Start buyerblock with the key of before "
        "(BUYERBLOCK_SECRET_KEY, or secret.key in the data folder), or sign in again."
    )

    # The connection to Google
    UNREACHABLE = "Google could not be reached ({why})."
    ANSWER_CUT = "Google's answer was cut or garbled."
    GMAIL_FAILED = "Gmail failed for a moment ({status})."
    NOT_GMAIL = "Something other than Gmail answered."
    NOT_GMAIL_STATUS = "Something other than Gmail answered ({status})."
    NOT_REVOKED_UNREACHABLE = (
        "Google could not be reached to take the sign-in back ({why}); nothing was changed, try again."
    )
    NOT_REVOKED = "Google did not take the sign-in back just now ({status}); nothing was changed, try again."

    # What Gmail refuses
    SPEED_LIMIT = "Gmail's speed limit was reached."
    WAIT_UNTIL = "Gmail asks to wait until {until} UTC."
    API_OFF = (
        "The Gmail API is switched off in your Google Cloud project; enable it there under APIs & Services."
    )
    GONE = "It is no longer in the mailbox."
    LABEL_GONE = "A label of ours was deleted in Gmail."
    EXISTS = "Gmail has this label or filter already: {words}"
    REFUSED = "Gmail refused the request: {words} ({status})."
    NO_ROOM_FOR_FILTERS = (
        "Gmail allows {most} filters, and this mailbox has no room for ours; delete some in Gmail under Settings, "
        "Filters and Blocked Addresses."
    )

    # What only its owner can do
    ANOTHER_PROGRAM = (
        "Another buyerblock, or an earlier connection of this one, has filters in this mailbox too (for {address}). "
        "Disconnect the mailbox there with its rules, or delete these filters in Gmail under Settings, Filters and "
        "Blocked Addresses."
    )
    FORWARDING_UNVERIFIED = (
        "Notices are not forwarded yet: add {address} in Gmail under Settings, Forwarding and POP/IMAP, and confirm "
        "it by the mail that Gmail sends there."
    )
    BEING_REMOVED = (
        "Our filters and labels are being removed from this mailbox: disconnect it again to finish that, or sign in "
        "again to keep it."
    )
    RULES_KEPT = (
        "{problem} Or disconnect it without removing our filters and labels, which you can delete in Gmail."
    )

    # This program
    STORAGE = "{sentence}"
    UNEXPECTED = "A pass failed in an unexpected way; the log says more."


@dataclass(frozen=True, slots=True)
class MailboxProblem:
    """A cause with its details. ``str()`` is the sentence. tried_again: the next pass may succeed without help."""

    cause: Cause
    details: Mapping[str, str] = field(default_factory=dict)
    tried_again: bool = False

    @property
    def template(self) -> str:
        return _TRIED_AGAIN.template if self.tried_again else self.cause.value

    @property
    def fields(self) -> Mapping[str, object]:
        if self.tried_again:
            return {"sentence": replace(self, tried_again=False)}
        return {name: Sentence(it) if name in _SENTENCE_DETAILS else it for name, it in self.details.items()}

    def __str__(self) -> str:
        return filled(self.template, self.fields)

    def as_document(self) -> dict[str, Any]:
        return {"cause": self.cause.name, "details": dict(self.details), "tried_again": self.tried_again}
