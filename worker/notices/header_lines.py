"""The header lines that mail programs put above a forwarded mail, by language."""

# ruff: noqa: RUF001 - header names in many scripts
import re
from dataclasses import dataclass

# Gmail, Outlook (desktop, web, new), Apple Mail, Thunderbird and Yahoo write these names in the language of
# their surface; some languages have two or three, one for each program.
# Columns: From | Date or Sent | Subject | To. Inside a column, names are separated by commas.
_NAMES = """
en: From | Date, Sent | Subject | To
de: Von | Datum, Gesendet | Betreff | An
fr: De, Expéditeur | Date, Envoyé, Envoyé le | Objet, Sujet | À, Pour
it: Da, Mittente | Data, Date, Inviato | Oggetto | A, Per
es: De, Remitente | Fecha, Enviado, Enviado el | Asunto | Para, A
pt: De, Remetente | Data, Enviado, Enviada, Enviada em | Assunto | Para
nl: Van | Datum, Verzonden | Onderwerp | Aan
pl: Od, Nadawca | Data, Wysłano | Temat | Do, Adresat
sv: Från | Datum, Skickat, Skickades | Ämne | Till
da: Fra | Dato, Sendt | Emne | Til
no: Fra | Dato, Sendt | Emne | Til
fi: Lähettäjä | Päivämäärä, Päiväys, Lähetetty | Aihe | Vastaanottaja
cs: Od | Datum, Odesláno | Předmět | Komu, Pro
sk: Od | Dátum, Odoslané | Predmet | Komu
hu: Feladó | Dátum, Elküldve, Küldve | Tárgy | Címzett
ro: De la, De | Data, Dată, Trimis | Subiect, Subiectul | Către
tr: Kimden, Gönderen | Tarih, Gönderme Tarihi, Gönderildi | Konu | Kime, Alıcı
el: Από, Αποστολέας | Ημερομηνία, Ημ/νία, Στάλθηκε, Εστάλη | Θέμα | Προς
ru: От, От кого | Дата, Отправлено | Тема | Кому
uk: Від, Від кого | Дата, Надіслано | Тема | Кому
bg: От | Дата, Изпратено | Тема, Относно | До
hr: Od, Šalje | Datum, Poslano | Predmet | Prima, Za
sl: Od, Pošiljatelj | Datum, Poslano | Zadeva | Za
ca: De | Data, Enviat | Assumpte, Tema | Per a, A
lt: Nuo | Data, Išsiųsta | Tema | Kam, Iki
et: Saatja, Kellelt | Kuupäev, Saadetud | Teema | Saaja, Kellele
lv: No | Datums, Nosūtīts | Temats, Tēma | Kam
ja: 差出人, 送信者, From | 日付, 日時, 送信日時, 送信日, Date | 件名, Subject | 宛先, To
zh: 发件人, 寄件者, 寄件人, 自 | 日期, 发送时间, 发送日期, 寄件日期, 傳送日期 | 主题, 主旨, 主題 | 收件人, 收件者, 至
ko: 보낸 사람, 보낸사람, 발신 | 날짜, 보낸 날짜, 보낸날짜, 날자 | 제목 | 받는 사람, 받는사람, 수신
ar: من | التاريخ, تاريخ الإرسال, تم الإرسال | الموضوع, العنوان | إلى
he: מאת, מ | תאריך, נשלח | נושא, הנדון | אל
id: Dari | Tanggal, Dikirim | Perihal, Subjek | Kepada, Ke
vi: Từ | Ngày, Thời gian, Đã gửi | Chủ đề | Đến, Tới
th: จาก | วันที่, ส่ง | เรื่อง, หัวเรื่อง | ถึง
hi: से, द्वारा | दिनांक, भेजा गया | विषय | प्रति, को
"""

# A value may stand on the line below its name; a block has a handful of lines.
_BLOCK_LINES = 14
# A hostile text of nothing but header lines would otherwise be read again from each of them.
_BLOCKS = 50


def _columns() -> tuple[frozenset[str], ...]:
    columns: tuple[set[str], ...] = (set(), set(), set(), set())
    for row in _NAMES.strip().splitlines():
        for names, cell in zip(columns, row.partition(":")[2].split("|"), strict=True):
            names.update(name.strip().casefold() for name in cell.split(","))
    return tuple(frozenset(names) for names in columns)


_FROM, _DATE, _SUBJECT, _TO = _columns()
_OTHERS = _DATE | _TO | frozenset(("cc", "kopie", "copia", "reply-to", "importance"))
LANGUAGES = tuple(row[:2] for row in _NAMES.strip().splitlines())

_LINE = re.compile(r"^[\s>*|]*([^\s>*|:：][^:：*]{0,30}?)\s*\*?\s*[:：]\s*\*?\s*(.*)$")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[\w-]{1,63}")


@dataclass(frozen=True, slots=True)
class Block:
    """The header lines of a forwarded mail. sender: its address; end: number of the line where its text begins."""

    sender: str
    subject: str
    end: int


def find_block(lines: list[str]) -> Block | None:
    """Return the first block of forwarded header lines that has a From with a single address."""
    tries = 0
    for number, line in enumerate(lines):
        name, _ = _header(line)
        if name in _FROM:
            tries += 1
            if tries > _BLOCKS:
                break
            if (block := _block_at(lines, number)) is not None:
                return block
    return None


def _block_at(lines: list[str], start: int) -> Block | None:
    # Some programs put the date first, so the block may begin above its From.
    seen: dict[str, str] = {}
    last, end = "", start
    first = max(0, start - 4)
    for number in range(first, min(len(lines), start + _BLOCK_LINES)):
        name, value = _header(lines[number])
        kind = _kind(name)
        if kind:
            seen[kind] = value
            last, end = kind, number + 1
        elif lines[number].strip(" >\t*|"):
            if number < start:
                seen.clear()
            elif last and not seen[last]:
                seen[last] = lines[number].strip(" >\t*")
                end = number + 1
            elif number > end + 1 or last == "other":
                break
        elif number > start and len(seen) > 2:
            break
    found = {each.lower() for each in _ADDRESS.findall(seen.get("from", ""))}
    if len(found) != 1 or len(seen) < 2:
        return None
    return Block(found.pop(), seen.get("subject", ""), end)


def _header(line: str) -> tuple[str, str]:
    found = _LINE.match(line[:1_000])
    return (found[1].strip().casefold(), found[2].strip()) if found else ("", "")


def _kind(name: str) -> str:
    for kind, names in (("from", _FROM), ("subject", _SUBJECT), ("other", _OTHERS)):
        if name in names:
            return kind
    return ""
