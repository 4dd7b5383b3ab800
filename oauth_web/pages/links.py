"""Links out of the page: to a mail in Gmail, to Google's console, to Seller Central."""

from urllib.parse import quote

GMAIL = "https://mail.google.com/mail/u/"

CONSOLE = {
    "project": "https://console.cloud.google.com/projectcreate",
    "api": "https://console.cloud.google.com/apis/library/gmail.googleapis.com",
    "consent": "https://console.cloud.google.com/auth/overview",
    "audience": "https://console.cloud.google.com/auth/audience",
    "client": "https://console.cloud.google.com/auth/clients/create",
}
SELLER_CENTRAL = "https://sellercentral.amazon.com/notifications/preferences"


def mail_in_gmail(account: str, message_id: str) -> str:
    """Return the address that shows a mail in Gmail. message_id: its Message-ID, or Gmail's own id without one."""
    place = (
        f"search/rfc822msgid:{quote(message_id, safe='')}"
        if "@" in message_id
        else f"all/{quote(message_id)}"
    )
    return f"{GMAIL}?authuser={quote(account, safe='')}#{place}"
