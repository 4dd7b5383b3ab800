"""The header lines that mail programs put above a forwarded mail, by language.

A table and a loop over lines, because the regular expressions of existing parsers backtrack: one of them takes
half a minute for 32 KB of blanks.
"""

# ruff: noqa: RUF001 - header names in many scripts
import re
from dataclasses import dataclass

from worker.notices.addresses import only_address

# Gmail, Outlook (desktop, web, new), Apple Mail, Thunderbird, Yahoo, HubSpot and others write these names in the
# language of their interface; some languages have two or three, one for each program.
# Columns: From | Date or Sent | Subject | To. Inside a column, names are separated by commas.
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

# A value may be on the line below its name; a block has a handful of lines.
_BLOCK_LINES = 14
# "Rispondi a: ..." and other lines between the known ones, which alone mark the end of a block.
_UNKNOWN_LINES = 3
# A forwarded notice begins on the first screen.
_LINE_LIMIT = 5_000
# How many kinds of lines tell a block from text; where the From has no address at all, one more.
_FEW_LINES = 2
# Programs wrap plain text at 72 to 78 characters; a shorter line, or one with a full stop, ended by itself.
_WRAPPED = 60
# A hostile text of nothing but header lines would otherwise be read again from each of them.
_BLOCKS = 50


def _kinds() -> dict[str, str]:
    """The kinds of headers by name, in lower case. Where languages disagree, From goes before Subject before others."""
    kinds = dict.fromkeys(("cc", "kopie", "copia", "reply-to", "importance"), "other")
    for column, kind in ((1, "other"), (3, "other"), (2, "subject"), (0, "from")):
        kinds.update((name.casefold(), kind) for name in NAMES[column])
    return kinds


# The names of all languages, a column each: From, Date, Subject, To.
NAMES = tuple(
    tuple(dict.fromkeys(name.strip() for cell in cells for name in cell.split(",")))
    for cells in zip(*(row.partition(":")[2].split("|") for row in _ROWS.splitlines()), strict=True)
)
_KINDS = _kinds()
_BEGINNINGS = frozenset(name.split()[0] for name in _KINDS)

# What mail programs put before a quoted line, and around bold words in plain text.
_MARKS = "\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # directions of Arabic and Hebrew, mostly
_MARGIN = " \t\u00a0>*|\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
_LINE = re.compile(rf"[\s>*|{_MARKS}]{{0,40}}([^\s>*|:：{_MARKS}][^:：*|]{{0,30}})\*?\s?[:：|](.*)")
# Looked at first, to save time: most lines of a mail begin with other letters than a From.
_FIRST_LETTERS = frozenset(_MARGIN).union(*({name[0].lower(), name[0].upper()} for name in NAMES[0]))


@dataclass(frozen=True, slots=True)
class Block:
    """The header lines of a forwarded mail.

    sender: its address; empty where there is none, or several, or no name. name: the text before it, or all of it.
    start, end: numbers of the block's first line and of the first line after it.
    """

    sender: str
    name: str
    subject: str
    start: int
    end: int


def find_block(lines: list[str], start: int = 0) -> Block | None:
    """Return the first block of header lines, from line ``start`` on."""
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
        if tries > _BLOCKS:
            break
        if (block := read(lines, number)) is not None:
            return block
    return None


def _start_of(lines: list[str], number: int) -> int:
    """Where the block begins: some programs put date, subject or addressee above the From in line ``number``."""
    start, below = number, False
    for above in range(number - 1, max(-1, number - _BLOCK_LINES), -1):
        kind, value = _header(lines[above])
        if kind in ("subject", "other") and not (below and value and not _is_wrapped(kind, lines[above])):
            start, below = above, False
        elif lines[above].strip(_MARGIN):
            if kind or below:
                break
            below = True  # a value, if the line above it is a name alone
    return start


def _block_at(lines: list[str], number: int) -> Block | None:
    """The block around the From in this line, if there are enough other lines."""
    start = _start_of(lines, number)
    values: dict[str, str] = {}
    end, open_value, unknown = start, "", 0
    for at in range(start, min(len(lines), start + _BLOCK_LINES)):
        kind, value = _header(lines[at])
        if kind == "from" and "from" in values:
            break  # another block begins
        if kind:
            values.setdefault(kind, value)
            end, open_value = at + 1, kind if _continues(lines, at, kind, value) else ""
        elif (text := lines[at].strip(_MARGIN)) and open_value:
            values[open_value] = f"{values[open_value]} {text}".strip()
            end, open_value = at + 1, open_value if _lists_more(open_value, text) else ""
        elif text:
            unknown += 1
            if unknown > _UNKNOWN_LINES or not _LINE.match(text):
                break
    return block_of(values, lines[start:end], start, end) if len(values) >= _FEW_LINES else None


def _bare_block_at(lines: list[str], number: int) -> Block | None:
    """The block that begins with the From in this line, if its names have no colon, as those of eM Client and 163.

    A name may be alone above its value. Only such lines count, and no fewer than four: From, Subject, two others.
    """
    values: dict[str, str] = {}
    count, at = 0, number
    last = min(len(lines), number + _BLOCK_LINES)
    while at < last and (header := _bare_header(lines[at]))[0]:
        kind, value = header
        at += 1
        if not value and at < last:
            value, at = lines[at].strip(_MARGIN), at + 1
        values.setdefault(kind, value)
        count += 1
    block = block_of(values, lines[number:at], number, at)
    return block if count > len(values) > _FEW_LINES and block and block.sender else None


def block_of(values: dict[str, str], lines: list[str], start: int, end: int) -> Block | None:
    """The block of these values by kind of header, in these lines; None if too few kinds are there for its From."""
    sender, subject = values.get("from", ""), values.get("subject", "")
    address = only_address(sender)
    if address and not _may_be_name(address, sender, lines):
        name = sender[: sender.lower().find(address)].strip(' "<[*')
        return Block(address, name, subject, start, end)
    # Where the From has no address at all, one more kind has to tell a block from text.
    return Block("", sender, subject, start, end) if len(values) >= _FEW_LINES + ("@" not in sender) else None


def _may_be_name(address: str, sender: str, lines: list[str]) -> bool:
    """Whether this From may be a name that a stranger chose: an address alone, in a block that shows only names."""
    return len(sender) <= len(address) + 2 and not any(
        "@" in line for line in lines if address not in line.lower()
    )


def _continues(lines: list[str], at: int, kind: str, value: str) -> bool:
    """Whether the value of the header in this line continues, or begins, on the line below."""
    if not value or _lists_more(kind, value):
        return True
    if kind == "from":
        return "@" not in value
    # What follows a subject at once may be the text of the mail; after the rest of a subject there is an empty line.
    behind = "".join(lines[at + 2 : at + 3])
    return _is_wrapped(kind, lines[at]) and (not behind.strip(_MARGIN) or _header(behind)[0] != "")


def _lists_more(kind: str, value: str) -> bool:
    """Whether this is a list of addressees that goes on below; a greeting below a subject ends with a comma too."""
    return kind != "subject" and value.endswith((",", ";"))


def _is_wrapped(kind: str, line: str) -> bool:
    return kind == "subject" and len(line) >= _WRAPPED and line.rstrip()[-1:].isalnum()


def _header(line: str) -> tuple[str, str]:
    """The kind of header ("from", "subject", "other"; empty for other lines), and its value."""
    found = _LINE.match(line[:1_000])
    if not found:
        return "", ""
    kind = _KINDS.get(" ".join(found[1].casefold().split()), "")
    return (kind, found[2].strip(_MARGIN)) if kind else ("", "")


def _bare_header(line: str) -> tuple[str, str]:
    """The same for a line whose name has no colon, and may be alone."""
    words = line[:1_000].strip(_MARGIN).split(None, 2)
    if not words or words[0].casefold() not in _BEGINNINGS:
        return "", ""
    for count in (2, 1):  # "De la" before "De"
        if kind := _KINDS.get(" ".join(words[:count]).casefold()):
            return kind, " ".join(words[count:])
    return "", ""
