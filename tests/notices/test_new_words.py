"""A notice in words that nobody knows is shown to a person; other mail of who sends notices is not."""

# ruff: noqa: RUF001 - letters of many languages
import pytest
from building import page
from test_judge import ALIAS, ORDER, doubt, suspect, unrelated, without_type

from worker.notices.doubts import Doubt
from worker.notices.model import Kind

# As notices might say it in words that are in no table.
NEWS = {
    "en": f"We could not deliver your message about order {ORDER} because the buyer turned off seller messages.",
    "it": f"Non è stato possibile recapitare il tuo messaggio per l'ordine {ORDER}: l'acquirente non li desidera.",
    "fr": f"Votre message concernant la commande {ORDER} n'a pas été remis, car l'acheteur n'en veut pas.",
    "de": f"Wir konnten Ihre Nachricht zur Bestellung {ORDER} nicht zustellen, weil der Käufer das so gewählt hat.",
    "es": f"No hemos podido entregar el mensaje sobre el pedido {ORDER} porque el comprador lo ha elegido así.",
    "pt": f"Não conseguimos entregar a sua mensagem sobre o pedido {ORDER}, porque o comprador assim escolheu.",
    "nl": f"We konden je bericht over bestelling {ORDER} niet bezorgen omdat de koper daarvoor heeft gekozen.",
    "pl": f"Nie udało się dostarczyć wiadomości dotyczącej zamówienia {ORDER}, ponieważ kupujący tak wybrał.",
    "sv": f"Vi kunde inte leverera ditt meddelande om beställning {ORDER} eftersom köparen har valt det.",
    "tr": f"{ORDER} numaralı siparişle ilgili mesajınız teslim edilemedi, çünkü alıcı böyle tercih etti.",
    "ar": f"تعذر تسليم رسالتك بشأن الطلب {ORDER} لأن المشتري اختار ذلك.",
    "ja": f"購入者の設定により、注文 {ORDER} についてのメッセージは配信されませんでした。",
    "zh": f"由于买家的选择，您关于订单 {ORDER} 的消息未能送达。",
    "hi": f"ऑर्डर {ORDER} के बारे में आपका संदेश डिलीवर नहीं किया जा सका, क्योंकि खरीदार ने ऐसा चुना है।",
}
UNWANTED = {
    "en": f"Order {ORDER}: the buyer has opted out of messages from sellers.",
    "it": f"L'acquirente dell'ordine {ORDER} non desidera ricevere messaggi dai venditori.",
    "fr": f"L'acheteur de la commande {ORDER} ne souhaite plus recevoir de messages non sollicités.",
    "de": f"Der Käufer der Bestellung {ORDER} möchte keine Nachrichten von Verkäufern.",
    "es": f"El comprador del pedido {ORDER} no desea recibir mensajes de vendedores.",
    "pt": f"O comprador do pedido {ORDER} não deseja receber mensagens de vendedores.",
    "nl": f"De koper van bestelling {ORDER} wil geen berichten van verkopers.",
    "pl": f"Kupujący z zamówienia {ORDER} nie życzy sobie niechcianych wiadomości.",
    "sv": f"Köparen av beställning {ORDER} vill inte ta emot meddelanden.",
    "tr": f"{ORDER} siparişinin alıcısı satıcılardan mesaj almak istemiyor.",
    "ar": f"اختار المشتري صاحب الطلب {ORDER} عدم تلقي رسائل من البائعين.",
    "ja": f"注文 {ORDER} の購入者は出品者からのメッセージを受け取らない設定です。",
    "zh": f"订单 {ORDER} 的买家选择不接收卖家的消息。",
    "hi": f"ऑर्डर {ORDER} का खरीदार विक्रेताओं से अवांछित संदेश नहीं चाहता।",
}


@pytest.mark.parametrize(
    "said",
    [
        "Your message for order {} could not be successfully delivered to the buyer.",
        "We didn't send your message about order {} to the buyer because they've opted out.",
        "Delivery of your message for order {} failed.",
        "Die Zustellung Ihrer Nachricht zur Bestellung {} ist fehlgeschlagen.",
        "Wir waren nicht in der Lage, Ihre Nachricht zur Bestellung {} zuzustellen.",
        "Der Käufer hat dem Empfang von Nachrichten widersprochen (Bestellung {}).",
        "Nous n'avons pas été en mesure d'acheminer votre message au sujet de la commande {}.",
        "Échec de la remise de votre message (commande {}).",
        "Il tuo messaggio per l'ordine {} non ha raggiunto l'acquirente.",
        "Tu mensaje sobre el pedido {} no pudo ser entregado al comprador.",
        "Sua mensagem sobre o pedido {} não pôde ser entregue.",
        "Uw bericht over {} kon niet aan de koper worden bezorgd.",
        "Köparen av {} har avböjt oombedda meddelanden.",
        "Mesajınız alıcıya ulaştırılamadı: {}",
        "تعذّر إرسال رسالتك إلى المشتري بخصوص الطلب {}.",
        "注文 {} について送信されたメッセージは、購入者に届きませんでした。",
        "我们未能将您关于订单 {} 的消息发送给买家。",
        "आपका संदेश (ऑर्डर {}) खरीदार तक नहीं पहुंचा।",
    ],
)
def test_one_language_has_many_words_for_it(said: str) -> None:
    assert doubt(without_type(said.format(ORDER), subject="x")) is Doubt.NEW_SENTENCE


@pytest.mark.parametrize("language", NEWS)
@pytest.mark.parametrize("greeting", ["", "Dear Seller,", "Xxx yyy zzz!"])
def test_news_of_a_message_that_was_not_delivered_is_suspect_in_any_words(
    language: str, greeting: str
) -> None:
    for said in (NEWS[language], UNWANTED[language]):
        mail = without_type(greeting, said, subject="x")
        assert doubt(mail) is Doubt.NEW_SENTENCE
        assert suspect(mail).order_id == ORDER
        nameless = said.replace(ORDER, "")
        assert unrelated(mail.but(html=page([nameless]))) is Kind.OTHER_OF_AMAZON
        link = f'<a href="mailto:{ALIAS}">x</a>'
        assert suspect(mail.but(html=page([nameless, link]))).address == ALIAS
        assert doubt(mail.but(html=page([link]), subject=nameless)) is Doubt.NEW_SENTENCE
        assert unrelated(mail.but(from_="Amazon <donotreply@amazon.com>")) is Kind.OTHER_OF_AMAZON
        assert unrelated(mail.but(results="none")) is Kind.OTHER_OF_AMAZON


@pytest.mark.parametrize("language", NEWS)
@pytest.mark.parametrize(
    "copied",
    [
        "Here is a copy of the e-mail that you sent to Kim. {}",
        "Dies ist eine Kopie Ihrer Nachricht an Kim. {}",
        "Ecco una copia del messaggio che hai inviato a Kim: {}",
        "Voici une copie du message envoyé à Kim. {}",
        "購入者に送信したメッセージのコピーです。 {}",
        "Mesajınızın kopyası: {}",
        "Er schrieb: “{}”",
        'He was told "{} Thanks.',
        "Xxx. " * 300 + "{}",
    ],
)
def test_what_others_said_about_undelivered_messages_is_no_news(language: str, copied: str) -> None:
    mail = without_type(copied.format(NEWS[language]), subject="Your e-mail to Kim")
    assert unrelated(mail) is Kind.OTHER_OF_AMAZON


@pytest.mark.parametrize(
    "text",
    [
        f"Your package for order {ORDER} could not be delivered. Send the buyer a message.",
        f"Your message for order {ORDER} was not sent as it did not meet the communication guidelines.",
        f"Sold, ship now: {ORDER}. Do not reply to this message. You can opt out of these notifications.",
        f"Order {ORDER} is on its way. To opt out of these e-mails, change your preferences.",
        f"The buyer of order {ORDER} sent a message. Read it.",
        f"Erstattung für {ORDER}. Antworten Sie nicht auf diese E-Mail, sie wurde automatisch zugestellt.",
        f"Zwrot {ORDER}. Nie odpowiadaj na tę wiadomość, została wysłana automatycznie.",
        f"The buyer of order {ORDER} has not received the item. Read the message in your inbox.",
        f"Il pacco dell'ordine {ORDER} non è stato consegnato. Hai un messaggio.",
        f"Die Sendung zur Bestellung {ORDER} konnte nicht zugestellt werden. Diese E-Mail kommt automatisch.",
        f"Le colis de la commande {ORDER} n'a pas pu être livré. Répondez au message.",
        f"注文 {ORDER} の商品はお届けできませんでした。メッセージをご確認ください。",
    ],
)
def test_news_of_undelivered_parcels_is_none_of_a_message(text: str) -> None:
    assert unrelated(without_type(text, subject=f"Order {ORDER}")) is Kind.OTHER_OF_AMAZON
