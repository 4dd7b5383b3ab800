"""Recognise reports of an undelivered or unwanted message in wording that is not in ``wording.py``.

Only one complete specimen in one language is known, so notices in other languages may have any wording. Mail found here
is only shown to a person. The Gmail filters do not need these words: they queue all mail from the senders of notices.
"""

# ruff: noqa: RUF001 - words in many scripts
import re
from dataclasses import dataclass

from worker.notices.sentences import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class Stems:
    """The words of one language. message, buyer, unwanted: parts of words. undelivered: a regular expression.

    All are for folded text.
    """

    language: str
    message: tuple[str, ...]
    buyer: tuple[str, ...]
    undelivered: str
    unwanted: tuple[str, ...]


STEMS: tuple[Stems, ...] = (
    Stems(
        language="en",
        message=("message", "email", "e-mail"),
        buyer=("buyer", "customer"),
        undelivered=(
            r"(?:not|n't|unable|fail\w*) [^,]{0,40}\b(?:deliver(?:ed)?|reach)\b"
            r"|undeliver|delivery [^,]{0,60}fail"
        ),
        unwanted=(
            "opted out",
            "opt out",
            "opted-out",
            "opt-out",
            "unsolicited",
            "unwanted message",
            "not to receive",
        ),
    ),
    Stems(
        language="it",
        message=("messaggi", "e-mail", "email"),
        buyer=("acquirent", "client"),
        undelivered=r"(?:\bnon|impossibile) [^,]{0,60}(?:consegna[tr]|recapita|inoltra|trasme[st]|raggiun)",
        unwanted=("non richiest", "non desidera", "indesiderat", "non ricevere"),
    ),
    Stems(
        language="fr",
        message=("message", "e-mail", "courriel"),
        buyer=("acheteu", "client"),
        undelivered=(
            r"(?:\bn'|\bne |impossible d|échec de la )[^,]{0,60}"
            r"\b(?:transm|rem[ie]|livr|délivr|distribu|achemin|envoy)"
        ),
        unwanted=("non sollicit", "non désir", "indésirable", "ne pas recevoir", "ne plus recevoir"),
    ),
    Stems(
        language="de",
        message=("nachricht", "mitteilung", "e-mail"),
        buyer=("käufer", "kunde"),
        undelivered=(
            r"nicht [^,]{0,60}(?:zugestell|zustell|übermitt|übertrag|weitergel|weiterlei|versend)"
            r"|nicht in der lage, .*zuzustellen|zustellung .*fehlgeschlagen"
        ),
        unwanted=(
            "unerwünscht",
            "unaufgefordert",
            "ungebeten",
            "keine nachrichten",
            "nachrichten widersp",
            "nachrichten abgel",
        ),
    ),
    Stems(
        language="es",
        message=("mensaje", "correo"),
        buyer=("comprador", "cliente"),
        undelivered=r"(?:\bno|imposible) [^,]{0,60}(?:entreg|enviar|enviad|transmit|llegad)",
        unwanted=("no solicitad", "no desead", "no desea recibir", "no recibir"),
    ),
    Stems(
        language="pt",
        message=("mensage", "e-mail"),
        buyer=("comprador", "cliente"),
        undelivered=r"(?:não|impossível) [^,]{0,60}(?:entreg|enviar|enviad|transmit|encaminh)",
        unwanted=("não solicitad", "não desejad", "indesejad", "não deseja receber", "não receber"),
    ),
    Stems(
        language="nl",
        message=("bericht", "e-mail"),
        buyer=("koper", "klant"),
        undelivered=r"niet [^,]{0,60}(?:bezorg|afgelever|aflever|verzonden|verzend|doorgestuur)|onbestelbaar",
        unwanted=("ongevraagd", "ongewenst", "geen berichten"),
    ),
    Stems(
        language="pl",
        message=("wiadomoś", "e-mail"),
        buyer=("kupując", "klient", "nabywc"),
        undelivered=r"\bnie [^,]{0,60}(?:dostarcz|doręcz|przekaz|wysła)|niedostarcz|niedoręcz",
        unwanted=("niezamówion", "niechcian", "niepożądan", "zrezygnował z otrzymywania"),
    ),
    Stems(
        language="sv",
        message=("meddeland", "e-post"),
        buyer=("köpare", "kunden"),
        undelivered=r"inte [^,]{0,40}(?:levere|skicka|vidarebefordra|nå )|misslyckades",
        unwanted=("oönskad", "oombedda", "inte ta emot"),
    ),
    Stems(
        language="tr",
        message=("mesaj", "e-posta"),
        buyer=("alıcı", "müşteri"),
        undelivered=r"(?:edil|\bed|ilet|iletil|gönder|gönderil|ulaştır|ulaştırıl)[ea]m[ea]d[iı]",
        unwanted=("istenmeyen", "almamayı", "almak istem"),
    ),
    Stems(
        language="ar",
        message=("رسال", "رسائل"),
        buyer=("مشتري", "عميل"),
        undelivered=r"(?:لم|تعذ.?ر|يتعذ.?ر|لا يمكن|فشل) [^,]{0,40}(?:تسليم|توصيل|إيصال|إرسال)",
        unwanted=("مرغوب", "عدم تلقي", "عدم استلام", "إلغاء الاشتراك"),
    ),
    Stems(
        language="ja",
        message=("メッセージ", "メール"),
        buyer=("購入者", "お客様"),
        undelivered=r"(?:送信|配信|配達|転送|送付|お届け)(?:することが)?(?:でき|され)(?:ません|なかった|ず)|届きません|届けられません",
        unwanted=(
            "未承諾",
            "受信しないよう",
            "受信を拒否",
            "受信拒否",
            "受け取らない",
            "迷惑メール",
            "配信停止",
        ),
    ),
    Stems(
        language="zh",
        message=("消息", "邮件", "信息"),
        buyer=("买家", "顾客"),
        undelivered=r"(?:未能?|无法|没有|不能)[^,]{0,50}(?:送达|发送|投递|传递|送出)|(?:发送|送达|投递)失败",
        unwanted=("未经请求", "主动发送", "不接收", "不想接收", "拒绝接收", "拒收", "非必要"),
    ),
    Stems(
        language="hi",
        message=("संदेश", "मैसेज", "ईमेल"),
        buyer=("खरीदार", "ग्राहक"),
        undelivered=r"(?:डिलीवर|वितरित|पहुंचा|भेजा)[^,]{0,20} नहीं|नहीं[^,]{0,20} (?:डिलीवर|वितरित|पहुंच|भेज)",
        unwanted=("अवांछित", "अनचाहे", "ऑप्ट आउट"),
    ),
)

# Characters. A notice starts with its message; advice, footers and quotations come later.
_BEGINNING = 1_500
_CLAUSE = re.compile(r"(?:[^.!?;:。！？।]|[.!?;:](?! |$)|: ?(?=[\d\[]))+")
_QUOTED = re.compile(r'"[^"]*(?:"|$)')
# A copy of a seller's message says at the start that it is a copy; then may come any text.
_COPY = re.compile(r"\b[ck][oó]p(?:y|ie|ia|ię|ya)|コピー|写し|控え|نسخة|副本|प्रति")
_ROWS = tuple((row, re.compile(row.undelivered)) for row in STEMS)
_UNWANTED = tuple(dict.fromkeys(fold(stem) for row in STEMS for stem in row.unwanted))


def mentions_unsolicited_messages(folded: str) -> bool:
    """Whether folded text mentions unsolicited messages, in any language of the table."""
    return any(stem in folded for stem in _UNWANTED)


def reports_refused_message(folded: str) -> bool:
    """Whether folded text reports near its start a message that a buyer did not get or did not want."""
    for clause in _CLAUSE.findall(_QUOTED.sub("", folded[:_BEGINNING])):
        if _COPY.search(clause):
            return False
        if any(_is_report(clause, *row) for row in _ROWS):
            return True
    return False


def _is_report(clause: str, row: Stems, undelivered: re.Pattern[str]) -> bool:
    if not _has(clause, row.message):
        return False
    return bool(undelivered.search(clause)) or (_has(clause, row.buyer) and _has(clause, row.unwanted))


def _has(clause: str, stems: tuple[str, ...]) -> bool:
    return any(stem in clause for stem in stems)
