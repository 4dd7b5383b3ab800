"""Find the header lines that mail programs put above a forwarded mail, in many languages.

With a table and a loop over lines, because the regular expressions of existing parsers backtrack: one of them needs
half a minute for 32 KB of spaces.
"""

# ruff: noqa: RUF001 - header names in many scripts
import re
from dataclasses import dataclass

from worker.notices.addresses import only_address

# The names of Gmail, Outlook (desktop, web, new), Apple Mail, Thunderbird, Yahoo, HubSpot and others, which write them
# in the language of their user interface. Columns: From | Date or Sent | Subject | To. Commas separate alternatives.
_ROWS = """
en: From | Date, Sent | Subject | To
de: Von | Datum, Gesendet | Betreff | An
fr: De, Expéditeur | Date, Envoyé, Envoyé le | Objet, Sujet | À, Pour
it: Da, Mittente | Data, Date, Inviato | Oggetto, Ogg | A, Per
es: De, Remitente | Fecha, Enviado, Enviado el | Asunto | Para, A
pt: De, Remetente | Data, Enviado, Enviada, Enviada em | Assunto | Para
nl: Van | Datum, Verzonden | Onderwerp | Aan
pl: Od, Nadawca | Data, Wysłano | Temat | Do, Adresat
sv: Från | Datum, Skickat, Skickades | Ämne | Till
da: Fra | Dato, Sendt | Emne | Til
no: Fra | Dato, Sendt | Emne | Til
fi: Lähettäjä | Päivämäärä, Päiväys, Lähetetty | Aihe | Vastaanottaja
cs: Od | Datum, Odesláno | Předmět | Komu, Pro
sk: Od | Dátum, Odoslané | Predmet | Komu, Pre
hu: Feladó | Dátum, Elküldve, Küldve | Tárgy | Címzett
ro: De la, De, Expeditorul, Expeditor | Data, Dată, Trimis | Subiect, Subiectul | Către, Destinatarul, Destinatar
tr: Kimden, Gönderen | Tarih, Gönderme Tarihi, Gönderildi, Gönderilen | Konu | Kime, Alıcı
el: Από, Αποστολέας | Ημερομηνία, Ημ/νία, Στάλθηκε, Εστάλη | Θέμα | Προς
ru: От, От кого, Отправитель | Дата, Отправлено | Тема | Кому, Получатель
uk: Від, Від кого | Дата, Надіслано, Відправлено | Тема | Кому
bg: От | Дата, Изпратено | Тема, Относно | До
hr: Od, Šalje | Datum, Poslano | Predmet, Naslov | Prima, Za
sl: Od, Pošiljatelj | Datum, Poslano | Zadeva | Za
ca: De | Data, Enviat | Assumpte, Tema | Per a, A
lt: Nuo | Data, Išsiųsta | Tema | Kam, Iki
et: Saatja, Kellelt | Kuupäev, Saadetud | Teema | Saaja, Kellele
lv: No | Datums, Nosūtīts | Temats, Tēma | Kam
ja: 差出人, 送信者, 送信元, From | 日付, 日時, 送信日時, 送信日, Date | 件名, Subject | 宛先, 送信先, To
zh: 发件人, 寄件者, 寄件人, 自 | 日期, 发送时间, 发送日期, 寄件日期, 傳送日期 | 主题, 主旨, 主題 | 收件人, 收件者, 至
ko: 보낸 사람, 보낸사람, 발신 | 날짜, 보낸 날짜, 보낸날짜, 날자 | 제목 | 받는 사람, 받는사람, 수신
ar: من | التاريخ, تاريخ الإرسال, تم الإرسال | الموضوع, العنوان | إلى
he: מאת, מ | תאריך, נשלח | נושא, הנדון | אל
id: Dari | Tanggal, Dikirim | Perihal, Subjek | Kepada, Ke
vi: Từ | Ngày, Thời gian, Đã gửi | Chủ đề | Đến, Tới
th: จาก | วันที่, ส่ง | เรื่อง, หัวเรื่อง | ถึง
sr: Од, Od | Датум, Послато | Тема, Наслов | За, Прима
is: Frá | Dagsetning, Sent | Efni | Til
ms: Daripada | Tarikh, Dihantar | Subjek | Kepada
fa: از | تاریخ, ارسال | موضوع | به
hi: से, द्वारा | दिनांक, भेजा गया | विषय | प्रति, को
""".strip()

# A block has a few header lines; a value may be on the line below its name.
_MAX_BLOCK_LINES = 14
# Unknown header lines in a block, such as "Rispondi a: ...".
_MAX_UNKNOWN_LINES = 3
# A forwarded notice starts near the top.
_LINE_LIMIT = 5_000
# A block has at least so many kinds of header lines; one more if the From has no address.
_MIN_KINDS = 2
# Programs wrap plain text at 72 to 78 characters; a shorter line was not wrapped.
_MIN_WRAPPED = 60
# Limits the time for a hostile text with only header lines, where a block could start at each line.
_MAX_TRIES = 50


def _kinds() -> dict[str, str]:
    """Return the kind by header name in lower case. If languages conflict, From wins, then Subject."""
    kinds = dict.fromkeys(("cc", "kopie", "copia", "reply-to", "importance"), "other")
    for column, kind in ((1, "other"), (3, "other"), (2, "subject"), (0, "from")):
        kinds.update((name.casefold(), kind) for name in NAMES[column])
    return kinds


# The names of all languages by column: From, Date, Subject, To.
NAMES = tuple(
    tuple(dict.fromkeys(name.strip() for cell in cells for name in cell.split(",")))
    for cells in zip(*(row.partition(":")[2].split("|") for row in _ROWS.splitlines()), strict=True)
)
_KINDS = _kinds()
_FIRST_WORDS = frozenset(name.split()[0] for name in _KINDS)

# Around header lines: marks of quotations, of bold text, and of text direction in Arabic and Hebrew.
_MARKS = "\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
_MARGIN = " \t\u00a0>*|\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_LINE = re.compile(rf"[\s>*|{_MARKS}]{{0,40}}([^\s>*|:：{_MARKS}][^:：*|]{{0,30}})\*?\s?[:：|](.*)")
# A fast check: most lines do not start with the first letter of a From.
_FIRST_LETTERS = frozenset(_MARGIN).union(*({name[0].lower(), name[0].upper()} for name in NAMES[0]))


@dataclass(frozen=True, slots=True)
class Block:
    """The header lines of a forwarded mail.

    sender: the address in From; empty if there is none or a doubt. name: the text before the address, or the whole
    From. start, end: the line numbers of the block, end exclusive.
    """

    sender: str
    name: str
    subject: str
    start: int
    end: int


def find_block(lines: list[str], start: int = 0) -> Block | None:
    """Return the first block of header lines at or after line ``start``."""
    tries = 0
    for number in range(start, min(len(lines), _LINE_LIMIT)):
        if lines[number].lstrip()[:1] not in _FIRST_LETTERS:
            continue
        if _header(lines[number])[0] == "from":
            read = _block_at
        elif _bare_header(lines[number])[0] == "from":
            read = _bare_block_at
        else:
            continue
        tries += 1
        if tries > _MAX_TRIES:
            break
        if (block := read(lines, number)) is not None:
            return block
    return None


def _start_of(lines: list[str], number: int) -> int:
    """Return the first line of the block: some programs put date, subject or To above the From in line ``number``."""
    start, below = number, False
    for above in range(number - 1, max(-1, number - _MAX_BLOCK_LINES), -1):
        kind, value = _header(lines[above])
        if kind in ("subject", "other") and not (below and value and not _is_wrapped(kind, lines[above])):
            start, below = above, False
        elif lines[above].strip(_MARGIN):
            if kind or below:
                break
            below = True  # it is a value if the line above it is only a name
    return start


def _block_at(lines: list[str], number: int) -> Block | None:
    """Return the block around the From in this line, if it has enough header lines."""
    start = _start_of(lines, number)
    values: dict[str, str] = {}
    end, open_value, unknown = start, "", 0  # open_value: the kind whose value continues
    for at in range(start, min(len(lines), start + _MAX_BLOCK_LINES)):
        kind, value = _header(lines[at])
        if kind == "from" and "from" in values:
            break  # another block starts
        if kind:
            values.setdefault(kind, value)
            end, open_value = at + 1, kind if _continues(lines, at, kind, value) else ""
        elif (text := lines[at].strip(_MARGIN)) and open_value:
            values[open_value] = f"{values[open_value]} {text}".strip()
            end, open_value = at + 1, open_value if _continues_list(open_value, text) else ""
        elif text:
            unknown += 1
            if unknown > _MAX_UNKNOWN_LINES or not _LINE.match(text):
                break
    return block_of(values, lines[start:end], start, end) if len(values) >= _MIN_KINDS else None


def _bare_block_at(lines: list[str], number: int) -> Block | None:
    """Return the block that starts at this line with names without colons, as eM Client and 163 write them.

    A name may be alone above its value. At least four such lines are needed: From, Subject and two others.
    """
    values: dict[str, str] = {}
    count, at = 0, number
    last = min(len(lines), number + _MAX_BLOCK_LINES)
    while at < last and (header := _bare_header(lines[at]))[0]:
        kind, value = header
        at += 1
        if not value and at < last:
            value, at = lines[at].strip(_MARGIN), at + 1
        values.setdefault(kind, value)
        count += 1
    block = block_of(values, lines[number:at], number, at)
    return block if count > len(values) > _MIN_KINDS and block and block.sender else None


def block_of(values: dict[str, str], lines: list[str], start: int, end: int) -> Block | None:
    """Return the block of these values by kind of header, in these lines; None if its From needs more kinds."""
    sender, subject = values.get("from", ""), values.get("subject", "")
    address = only_address(sender)
    if address and not _may_be_name(address, sender, lines):
        name = sender[: sender.lower().find(address)].strip(' "<[*')
        return Block(address, name, subject, start, end)
    return Block("", sender, subject, start, end) if len(values) >= _MIN_KINDS + ("@" not in sender) else None


def _may_be_name(address: str, sender: str, lines: list[str]) -> bool:
    """Whether the address may be a display name that a stranger chose: the block has no other address."""
    return len(sender) <= len(address) + 2 and not any(
        "@" in line for line in lines if address not in line.lower()
    )


def _continues(lines: list[str], at: int, kind: str, value: str) -> bool:
    """Whether the value of this header line continues or starts on the next line."""
    if not value or _continues_list(kind, value):
        return True
    if kind == "from":
        return "@" not in value
    # The line after a subject may be the text of the mail. The rest of a subject is followed by an empty line or a
    # header.
    following = "".join(lines[at + 2 : at + 3])
    return _is_wrapped(kind, lines[at]) and (not following.strip(_MARGIN) or _header(following)[0] != "")


def _continues_list(kind: str, value: str) -> bool:
    """Whether a list of recipients continues below. Not for a subject: a greeting below it may end with a comma."""
    return kind != "subject" and value.endswith((",", ";"))


def _is_wrapped(kind: str, line: str) -> bool:
    return kind == "subject" and len(line) >= _MIN_WRAPPED and line.rstrip()[-1:].isalnum()


def _header(line: str) -> tuple[str, str]:
    """Return the kind of a header line ("from", "subject", "other"; empty for other lines), and its value."""
    found = _LINE.match(line[:1_000])
    if not found:
        return "", ""
    kind = _KINDS.get(" ".join(found[1].casefold().split()), "")
    return (kind, found[2].strip(_MARGIN)) if kind else ("", "")


def _bare_header(line: str) -> tuple[str, str]:
    """Like ``_header``, for a name without a colon, perhaps without a value."""
    words = line[:1_000].strip(_MARGIN).split(None, 2)
    if not words or words[0].casefold() not in _FIRST_WORDS:
        return "", ""
    for count in (2, 1):  # "De la" before "De"
        if kind := _KINDS.get(" ".join(words[:count]).casefold()):
            return kind, " ".join(words[count:])
    return "", ""
