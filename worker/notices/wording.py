"""The wording of opt-out notices by language: one table for the judge, the Gmail filters and the searches.

A new wording is a new row, with a sample mail in ``tests/samples``. With a row that is not proven, a mail is a suspect
at most.
"""

from dataclasses import dataclass
from typing import Literal

Evidence = Literal["specimen", "quoted", "help page", "guess"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """One wording of "not delivered, because the buyer opted out".

    subject: the start of the Subject; empty if unknown. could_not_deliver, because: the two halves of the sentence in
    the body. evidence: ``specimen``: a complete notice; ``quoted``: a quotation of a notice; ``help page``: another
    text of Amazon; ``guess``: anything else. source: where it was found. sample: a file under ``tests/samples``.
    """

    language: str
    subject: str
    could_not_deliver: str
    because: str
    evidence: Evidence
    source: str
    sample: str

    @property
    def proven(self) -> bool:
        """Whether Amazon is known to use this wording in notices. Only then it may block anyone."""
        return self.evidence in ("specimen", "quoted")


WORDING: tuple[Wording, ...] = (
    Wording(
        language="en",
        subject="Your message to a buyer could not be delivered",
        could_not_deliver="We were unable to deliver the message you sent",
        because="because the buyer has chosen to opt out of receiving unsolicited messages from sellers",
        evidence="quoted",
        source="viral-launch.com, countingonsales.com, egility.co (2017); subject: sagemailer.com",
        sample="opt_out/en_com_2017.eml",
    ),
    Wording(
        language="it",
        subject="Il tuo messaggio all'acquirente non è stato consegnato",
        could_not_deliver="Non siamo stati in grado di recapitare il messaggio",
        because="l'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori",
        evidence="specimen",
        source="a notice of amazon.it of 10 September 2026",
        sample="opt_out/it_body_alone.eml",
    ),
    Wording(
        language="it",
        subject="",
        could_not_deliver="non è stato consegnato",
        because="l'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori",
        evidence="specimen",
        source="the subject of the same notice",
        sample="opt_out/it_specimen_shape.eml",
    ),
    Wording(
        language="fr",
        subject="Votre message qui était adressé à un acheteur n'a pas pu être transmis",
        could_not_deliver="Nous ne sommes pas parvenus à transmettre votre message",
        because="l'acheteur a choisi de ne pas recevoir de messages non sollicités de la part des vendeurs",
        evidence="quoted",
        source="forum.cockpitlab.io/t/1370",
        sample="opt_out/fr_no_brackets.eml",
    ),
    Wording(
        language="ja",
        subject="購入者へのメッセージを送信できませんでした",
        could_not_deliver="に関するメッセージを送信できませんでした",
        because="購入者が出品者からの未承諾広告メールを受信しないように設定しているため",
        evidence="quoted",
        source="sellercentral.amazon.co.jp/forums/t/topic/6486/2, ec-tsushin.com/mail_filter_seller_amazon",
        sample="opt_out/ja_utf8.eml",
    ),
    Wording(
        language="en",
        subject="",
        could_not_deliver="could not be delivered",
        because="buyer has opted out of",
        evidence="guess",
        source="how sellers and their tools put it in short",
        sample="suspect/guess_en_opted_out.eml",
    ),
    Wording(
        language="en",
        subject="",
        could_not_deliver="was not delivered",
        because="the buyer has chosen not to receive unsolicited messages from sellers",
        evidence="guess",
        source="the Italian notice of 2026, translated",
        sample="suspect/guess_en_from_italian.eml",
    ),
    Wording(
        language="de",
        subject="",
        could_not_deliver="Wir konnten die Nachricht",
        because="der Käufer die Annahme unerwünschter Nachrichten von Verkäufern deaktiviert hat",
        evidence="guess",
        source="edesk.com/de, a vendor's translation of the English notice",
        sample="suspect/guess_de.eml",
    ),
    Wording(
        language="de",
        subject="",
        could_not_deliver="nicht zugestellt",
        because="unerwünschten, nicht-kritischen Nachrichten von Verkäufern",
        evidence="help page",
        source="sellercentral.amazon.de, announcement of December 2017 on unwanted messages",
        sample="suspect/guess_de_help_page.eml",
    ),
    Wording(
        language="es",
        subject="",
        could_not_deliver="no se ha podido entregar",
        because="recepción de mensajes no solicitados",
        evidence="help page",
        source="sellercentral-europe.amazon.com, help 200383320 in Spanish",
        sample="suspect/guess_es.eml",
    ),
    Wording(
        language="es",
        subject="",
        could_not_deliver="no se pudo entregar",
        because="mensajes no solicitados",
        evidence="help page",
        source="sellercentral.amazon.com.mx, help 200383320",
        sample="suspect/guess_es_mx.eml",
    ),
    Wording(
        language="pt",
        subject="",
        could_not_deliver="não foi possível entregar",
        because="mensagens não solicitadas",
        evidence="help page",
        source="help of amazon.com.br on messages to buyers",
        sample="suspect/guess_pt.eml",
    ),
    Wording(
        language="nl",
        subject="",
        could_not_deliver="niet worden bezorgd",
        because="ongevraagde berichten",
        evidence="guess",
        source="our own translation",
        sample="suspect/guess_nl.eml",
    ),
    Wording(
        language="pl",
        subject="",
        could_not_deliver="nie została dostarczona",
        because="niezamówionych wiadomości",
        evidence="guess",
        source="our own translation",
        sample="suspect/guess_pl.eml",
    ),
    Wording(
        language="sv",
        subject="",
        could_not_deliver="kunde inte levereras",
        because="oönskade meddelanden",
        evidence="guess",
        source="our own translation",
        sample="suspect/guess_sv.eml",
    ),
    Wording(
        language="tr",
        subject="",
        could_not_deliver="teslim edilemedi",
        because="istenmeyen mesaj",
        evidence="guess",
        source="our own translation",
        sample="suspect/guess_tr.eml",
    ),
    Wording(
        language="ar",
        subject="",
        could_not_deliver="لم يتم تسليم",
        because="رسائل غير مرغوب فيها",
        evidence="guess",
        source="our own translation",
        sample="suspect/guess_ar.eml",
    ),
)
