"""The content of files: mails, and files that were not read, with the reason. Frozen values."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class WhyNot(Enum):
    """Why a file was not read. The values are shown to the user."""

    OTHER_NAME = "It is not named like mail; name the file itself to have it read."
    NOT_MAIL = "It holds no mail: header lines such as From and Date are missing. Save mail as .eml or .mbox."
    OUTLOOK_DATA = (
        "Outlook's data files (.pst, .ost, .olm) are not read; import it into Thunderbird, and export its folders as "
        "mbox or .eml."
    )
    OUTLOOK_ITEM = (
        "This Outlook file lacks the header lines with which the mail arrived, or its text; download the mail as .eml "
        "in Outlook on the web, or in the new Outlook."
    )
    OTHER_ARCHIVE = "Files that are packed this way are not read; unpack it, then name the folder."
    NESTED = "Archives inside archives are not read; unpack the outer one, then name the folder."
    ENCRYPTED = "It is encrypted; unpack it with its password, then name the folder."
    DAMAGED = "It is damaged or was cut off; get it once more. What comes before the damage was read."
    TOO_LONG = "Of a file in UTF-16 only the first 64 MB are read; save it as UTF-8."
    TOO_LARGE = "It unpacks to far more than mail does; unpack it yourself, and name what is mail in it."


class Mail(NamedTuple):
    """A mail. source: where it was found."""

    source: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class NotRead:
    """A file that was not read, or not completely."""

    source: str
    why: WhyNot


Content = Mail | NotRead
