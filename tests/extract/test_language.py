"""The language of a text: told where it is clear, left open where it isn't; foreign documents are problems of a build."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest

from kg.build import build
from kg.errors import InvalidSetting
from kg.extract import Pipeline
from kg.extract.language import NAMES, detect_language, languages_of
from kg.model import Document, Text
from kg.resources import resource
from kg.settings import Settings
from kg.store import open_store

FOREIGN = {
    "fr": "La maison Balenciaga a annoncé lundi que Liv Vane serait le nouveau visage de sa campagne. La comédienne, qui a grandi à "
    "Lyon, avait déjà travaillé avec la marque en 2019. « C'est un honneur pour moi », a-t-elle déclaré lors d'une conférence de "
    "presse. Les photos ont été prises dans un studio à Paris. La collection sera en vente au printemps, mais les prix ne sont "
    "pas encore connus.",
    "de": "Das Modehaus Balenciaga hat am Montag mitgeteilt, dass Liv Vane das neue Gesicht der Kampagne wird. Die Schauspielerin ist "
    "in Köln aufgewachsen und arbeitet seit drei Jahren mit dem Haus zusammen. „Ich freue mich sehr“, sagte sie auf einer "
    "Pressekonferenz. Die Bilder wurden in einem Studio in Berlin aufgenommen. Wann die Kollektion in den Handel kommt, ist noch "
    "nicht bekannt.",
    "es": "La casa Balenciaga anunció el lunes que Liv Vane será la nueva imagen de su campaña. La actriz, que creció en Sevilla, ya "
    "había trabajado con la marca en 2019. «Es un honor para mí», dijo durante una rueda de prensa. Las fotografías se hicieron "
    "en un estudio de Madrid. La colección llegará a las tiendas en primavera, pero los precios todavía no se conocen.",
    "it": "La casa di moda Balenciaga ha annunciato lunedì che Liv Vane sarà il nuovo volto della campagna. L'attrice, che è cresciuta "
    "a Torino, aveva già lavorato con il marchio nel 2019. «È un onore per me», ha detto durante una conferenza stampa. Le "
    "fotografie sono state scattate in uno studio di Milano. La collezione arriverà nei negozi in primavera, ma i prezzi non "
    "sono ancora noti.",
    "pt": "A casa Balenciaga anunciou na segunda-feira que Liv Vane será o novo rosto da sua campanha. A atriz, que cresceu no Porto, "
    "já tinha trabalhado com a marca em 2019. «É uma honra para mim», disse ela durante uma entrevista. As fotografias foram "
    "feitas num estúdio em Lisboa. A coleção chega às lojas na primavera, mas os preços ainda não são conhecidos.",
    "nl": "Modehuis Balenciaga heeft maandag bekendgemaakt dat Liv Vane het nieuwe gezicht van de campagne wordt. De actrice groeide "
    "op in Utrecht en werkt al drie jaar met het merk samen. „Het is een eer voor mij”, zei ze tijdens een persconferentie. De "
    "foto's zijn gemaakt in een studio in Amsterdam. Wanneer de collectie naar de winkels komt, is nog niet bekend.",
    "sv": "Modehuset Balenciaga meddelade på måndagen att Liv Vane blir kampanjens nya ansikte. Skådespelaren växte upp i Göteborg och "
    "har arbetat med märket i tre år. ”Det är en ära för mig”, sade hon vid en presskonferens. Bilderna togs i en studio i "
    "Stockholm. När kollektionen kommer till butikerna är ännu inte känt, men priserna ska inte höjas.",
    "da": "Modehuset Balenciaga meddelte mandag, at Liv Vane bliver kampagnens nye ansigt. Skuespilleren er vokset op i Aarhus og har "
    "arbejdet sammen med mærket i tre år. »Det er en ære for mig,« sagde hun på et pressemøde. Billederne blev taget i et studie "
    "i København. Hvornår kollektionen kommer til butikkerne, er endnu ikke kendt, men priserne skal ikke hæves.",
    "no": "Motehuset Balenciaga opplyste mandag at Liv Vane blir kampanjens nye ansikt. Skuespilleren vokste opp i Bergen og har "
    "arbeidet sammen med merket i tre år. «Det er en ære for meg», sa hun på en pressekonferanse. Bildene ble tatt i et studio i "
    "Oslo. Når kolleksjonen kommer til butikkene, er ennå ikke kjent, men prisene skal ikke settes opp.",
    "fi": "Muotitalo Balenciaga ilmoitti maanantaina, että Liv Vane on kampanjan uudet kasvot. Näyttelijä on kasvanut Tampereella, ja "
    "hän on tehnyt yhteistyötä talon kanssa jo kolme vuotta. ”Tämä on minulle kunnia”, hän sanoi. Kuvat on otettu "
    "helsinkiläisessä studiossa. Hinnat eivät ole vielä tiedossa, mutta mallisto tulee myyntiin keväällä, kun uusi liike avataan.",
    "pl": "Dom mody Balenciaga ogłosił w poniedziałek, że Liv Vane będzie nową twarzą kampanii. Aktorka, która wychowała się w "
    "Krakowie, pracuje z marką od trzech lat. „To dla mnie zaszczyt” – powiedziała na konferencji prasowej. Zdjęcia zostały "
    "zrobione w studiu w Warszawie. Kolekcja trafi do sklepów wiosną, ale ceny nie są jeszcze znane.",
    "cs": "Módní dům Balenciaga v pondělí oznámil, že se Liv Vane stane novou tváří kampaně. Herečka, která vyrostla v Brně, "
    "spolupracuje se značkou už tři roky. „Je to pro mě čest,“ řekla na tiskové konferenci. Snímky vznikly ve studiu v Praze. "
    "Kolekce se do obchodů dostane na jaře, ale ceny ještě nejsou známy.",
    "hu": "A Balenciaga divatház hétfőn bejelentette, hogy Liv Vane lesz a kampány új arca. A színésznő Szegeden nőtt fel, és már "
    "három éve dolgozik a márkával. „Ez nekem nagy megtiszteltetés” – mondta egy sajtótájékoztatón. A képek egy budapesti "
    "stúdióban készültek. A kollekció tavasszal kerül az üzletekbe, de az árak még nem ismertek, és azt sem tudni, hogy hol lesz "
    "kapható.",
    "ro": "Casa de modă Balenciaga a anunțat luni că Liv Vane va fi noua imagine a campaniei. Actrița, care a crescut la Cluj, "
    "lucrează cu marca de trei ani. „Este o onoare pentru mine”, a spus ea într-o conferință de presă. Fotografiile au fost "
    "făcute într-un studio din București. Colecția va ajunge în magazine în primăvară, dar prețurile nu sunt încă cunoscute.",
    "tr": "Balenciaga modaevi pazartesi günü Liv Vane'in kampanyanın yeni yüzü olduğunu açıkladı. İzmir'de büyüyen oyuncu, üç yıldır "
    "markayla çalışıyor. “Bu benim için bir onur” dedi ve ekibe teşekkür etti. Fotoğraflar İstanbul'da bir stüdyoda çekildi. "
    "Koleksiyon ilkbaharda mağazalarda olacak, ancak fiyatlar ile ilgili bir bilgi henüz yok ve bu konuda daha sonra açıklama "
    "yapılacak.",
    "id": "Rumah mode Balenciaga mengumumkan pada hari Senin bahwa Liv Vane akan menjadi wajah baru kampanye tersebut. Aktris yang "
    "besar di Bandung itu sudah bekerja dengan merek tersebut selama tiga tahun. “Ini adalah kehormatan untuk saya,” kata dia "
    "dalam jumpa pers. Foto itu diambil di sebuah studio di Jakarta. Koleksi ini akan dijual pada musim semi, tetapi harganya "
    "tidak diketahui.",
    "vi": "Nhà mốt Balenciaga hôm thứ Hai thông báo rằng Liv Vane sẽ là gương mặt mới của chiến dịch. Nữ diễn viên lớn lên ở Huế và đã "
    "làm việc với thương hiệu này trong ba năm. “Đây là một vinh dự đối với tôi,” cô nói tại cuộc họp báo. Những bức ảnh được "
    "chụp trong một xưởng ở Hà Nội. Bộ sưu tập sẽ được bán vào mùa xuân, nhưng giá vẫn chưa được công bố.",
    "ru": "Дом моды Balenciaga сообщил в понедельник, что Лив Вейн станет новым лицом кампании. Актриса, которая выросла в Казани, "
    "работает с маркой уже три года. «Это честь для меня», — сказала она на пресс-конференции. Снимки были сделаны в студии в "
    "Москве. Коллекция поступит в магазины весной, но цены ещё не известны.",
    "uk": "Дім моди Balenciaga повідомив у понеділок, що Лів Вейн стане новим обличчям кампанії. Акторка, яка виросла у Львові, працює "
    "з маркою вже три роки. «Це честь для мене», — сказала вона. Знімки були зроблені у студії в Києві. Колекція надійде до "
    "крамниць навесні, але ціни ще не відомі.",
    "el": "Ο οίκος Balenciaga ανακοίνωσε τη Δευτέρα ότι η Λιβ Βέιν θα είναι το νέο πρόσωπο της καμπάνιας. Η ηθοποιός μεγάλωσε στην "
    "Πάτρα και συνεργάζεται με τη μάρκα εδώ και τρία χρόνια. «Είναι τιμή για μένα», είπε. Οι φωτογραφίες τραβήχτηκαν στην Αθήνα. "
    "Οι τιμές δεν είναι γνωστές.",
    "ar": "أعلنت دار بالنسياغا يوم الاثنين أن ليف فين ستكون الوجه الجديد للحملة. نشأت الممثلة في بيروت وعملت مع العلامة منذ ثلاث "
    "سنوات. وقالت في مؤتمر صحفي إن هذا شرف كبير لها. التقطت الصور في استوديو في القاهرة. ستصل المجموعة إلى المتاجر في الربيع، "
    "لكن الأسعار ليست معروفة بعد.",
    "fa": "خانه مد بالنسیاگا روز دوشنبه اعلام کرد که لیو وین چهره جدید این کارزار خواهد بود. این بازیگر در شیراز بزرگ شده است و سه سال "
    "با این برند کار کرده است. او گفت که این برای من افتخار است. عکس‌ها را در تهران گرفته‌اند. قیمت‌ها هنوز اعلام نشده است.",
    "he": "בית האופנה בלנסיאגה הודיע ביום שני כי ליב ויין תהיה הפנים החדשות של הקמפיין. השחקנית גדלה בחיפה ועובדת עם המותג כבר שלוש "
    "שנים. זה כבוד גדול בשבילי, אמרה במסיבת עיתונאים. התמונות צולמו בתל אביב. המחירים עדיין לא ידועים.",
    "hi": "फ़ैशन हाउस ने सोमवार को घोषणा की कि लिव वेन अभियान का नया चेहरा होंगी। अभिनेत्री लखनऊ में बड़ी हुईं और तीन साल से ब्रांड के "
    "साथ काम कर रही हैं। उन्होंने कहा कि यह मेरे लिए सम्मान की बात है। तस्वीरें दिल्ली में ली गईं। क़ीमतें अभी पता नहीं हैं।",
    "th": "แบรนด์ประกาศเมื่อวันจันทร์ว่านักแสดงหญิงจะเป็นใบหน้าใหม่ของแคมเปญ เธอเติบโตที่เชียงใหม่และร่วมงานกับแบรนด์มาสามปี "
    "เธอบอกว่าเป็นเกียรติอย่างยิ่ง ภาพถ่ายในกรุงเทพ ราคายังไม่เป็นที่ทราบ",
    "zh": "时装品牌巴黎世家周一宣布，丽芙·韦恩将成为新广告的代言人。这位演员在杭州长大，三年来一直与该品牌合作。她在新闻发布会上说"
    "：“这对我来说是一种荣幸。”照片是在上海的一个摄影棚里拍摄的。该系列将于春季上市，但价格尚未公布。",
    "ja": "ファッションブランドのバレンシアガは月曜日、リヴ・ヴェインさんが新しい広告の顔になると発表した。俳優は神戸で育ち、三年前"
    "からブランドと仕事をしている。「私にとって光栄です」と記者会見で話した。写真は東京のスタジオで撮影された。価格はまだ発表"
    "されていない。",
    "ko": "패션 브랜드 발렌시아가는 월요일 리브 베인이 새 캠페인의 얼굴이 된다고 발표했다. 배우는 부산에서 자랐고 삼 년 동안 브랜드와 "
    "함께 일했다. 그는 기자 회견에서 나에게는 영광이라고 말했다. 사진은 서울의 스튜디오에서 촬영되었다. 가격은 아직 알려지지 "
    "않았다.",
}  # fmt: skip
ENGLISH = (
    "The house of Balenciaga said on Monday that Liv Vane will be the new face of its campaign. The actress grew up in Leeds and "
    "has worked with the brand for three years. “It is an honour for me,” she said at a press conference."
)
UNDECIDED = {
    "nothing": "",
    "one word": "Balenciaga",
    "names": "Liv Vane, Noor Marsh, Anselm Roy, Giulia della Rovere, Pierre du Bois, Hans von Stein, Jean Paul Gaultier, Dries Van Noten, "
    "Ann Demeulemeester, Yohji Yamamoto, Oscar de la Renta, María de los Ángeles, Ludwig van der Rohe, Luís dos Santos, Moët et Chandon",
    "contents": "CONTENTS\n1 Balenciaga ..... 3\n2 Maison Margiela ..... 9\n3 Comme des Garçons ..... 14\n4 Dolce e Gabbana ..... 21\n" * 3,
    "numbers": "1998 2,000 3.14 € 12 m² " * 200,
    "keywords": "silk, cotton, wool, leather, bags, shoes, belts, scarves, coats, dresses, skirts, jeans, " * 20,
    "one foreign title": "Il sorpasso. La notte. Che fare. Wer hat Angst.",
    "a greeting in Greek": "Καλημέρα, Liv",
    "half and half": f"{ENGLISH} {FOREIGN['fr'][:260]}",
}  # fmt: skip


@pytest.mark.parametrize("code", sorted(FOREIGN))
def test_a_foreign_text_is_told(code: str) -> None:
    """A few sentences are enough, in capitals and in decomposed letters too, with English names in them."""
    text = FOREIGN[code]
    assert detect_language(text) == code
    assert detect_language(unicodedata.normalize("NFD", text)) == code
    assert detect_language(text.upper()) == code
    assert detect_language(text, "en") == code
    assert code in NAMES


def test_english_is_told() -> None:
    """Whatever the source says of itself, and with a quotation in another language."""
    assert detect_language(ENGLISH) == "en"
    assert detect_language(ENGLISH, "fr") == "en"
    assert detect_language(ENGLISH.upper()) == "en"
    assert detect_language(f"{ENGLISH} « C'est un honneur pour moi », a-t-elle déclaré. She wore a dress by 山本耀司.") == "en"


@pytest.mark.parametrize("name", sorted(UNDECIDED))
def test_what_is_not_clear_is_left_open(name: str) -> None:
    """Short texts, names, lists and mixtures have no language, whatever the source says."""
    assert detect_language(UNDECIDED[name]) in (None, "en")
    assert detect_language(UNDECIDED[name], "en") in (None, "en")


def test_a_hint_decides_where_the_text_is_short() -> None:
    """A sentence that is too short for an answer is in the language that its source states, if its words agree."""
    short = "Das Haus hat die Kampagne nicht verschoben, und auch Liv Vane ist dabei."
    assert detect_language(short) is None
    assert detect_language(short, "de-AT") == "de"
    assert detect_language(short, "fr") is None
    assert detect_language("Liv Vane, Noor Marsh", "de") is None


def test_the_shipped_documents_are_english() -> None:
    """No document that the extractors are made for is refused."""
    texts = [path.read_text(encoding="utf-8") for path in Path(resource("seeds", "documents")).rglob("*.txt")]
    assert texts
    assert {detect_language(text) for text in texts} == {"en"}


def test_odd_texts_take_no_time() -> None:
    """Long words, long runs of marks, surrogates: an answer at once."""
    begin = time.process_time()
    for text in ("a" * 2_000_000, "a" + "\u0301\u0323" * 500_000, "a'" * 1_000_000, "\ud800 " * 500_000, "-" * 2_000_000, "é " * 1_000_000):
        assert detect_language(text) is None
    assert time.process_time() - begin < 20


# -- in the pipeline and in a build -------------------------------------------------------------------------------

RULES = Settings().replace(extractors="rules")


def document(text: str, id: str = "a", **metadata: str) -> Document:
    return Document(id, (Text("body", text),), **metadata)


def test_a_foreign_document_is_a_problem() -> None:
    """It says what the text is, what is read, and what to do; nothing is found in it."""
    found = Pipeline(RULES)(document(FOREIGN["fr"]))
    (problem,) = found.problems
    assert (found.claims, found.mentions) == ((), ())
    assert (problem.stage, problem.document_id, problem.category) == ("extract", "a", "language")
    assert problem.message.startswith("its text is in French, and the extractors read English; translate it or leave it out")
    assert "add fr to the setting languages" in problem.message


def test_the_setting_allows_other_languages() -> None:
    """Codes in any spelling; `any` lets all through; without English, English is foreign."""
    for languages in ("en,fr", " FR-ca , en", "any"):
        assert Pipeline(RULES.replace(languages=languages))(document(FOREIGN["fr"])).problems == ()
    (problem,) = Pipeline(RULES.replace(languages="fr"))(document(ENGLISH)).problems
    assert "in English, and the extractors read French" in problem.message
    assert Pipeline(RULES.replace(extractors=""))(document(FOREIGN["fr"])).problems == ()


def test_the_setting_changes_the_fingerprint() -> None:
    """What was refused is built when its language is allowed; the order of codes is no matter."""
    one, two, same = (Pipeline(RULES.replace(languages=each)).fingerprint for each in ("en", "en,fr", "fr, en"))
    assert one != two == same


@pytest.mark.parametrize("value", ["english", "", " , ", "en fr", "en,1", "e"])
def test_what_is_no_code_is_refused(value: str) -> None:
    """A name instead of a code is an error that says what to write."""
    with pytest.raises(InvalidSetting, match="languages takes codes") as caught:
        languages_of(value)
    assert "any" in caught.value.hint


def test_only_the_text_after_metadata_counts() -> None:
    """Leading metadata in English doesn't hide a foreign body, and structured data is not looked at."""
    text = Text("body", "date 2024-01-01 " + FOREIGN["it"], 15)
    found = Pipeline(RULES)(Document("a", (text, Text("data", ENGLISH)), language="en"))
    assert [problem.category for problem in found.problems] == ["language"]


def test_a_build_goes_on(tmp_path: Path) -> None:
    """A foreign document among others is reported and has no facts; what the store had of it stays as it was."""
    with open_store(tmp_path / "store", create=True) as store:
        good = document("Gucci closed. “I grew up with this bag,” said Liv Vane.", "good")
        assert build([document(ENGLISH, "turned")], store, RULES).status == "ok"
        report = build([document(FOREIGN["ru"], "russian"), document(FOREIGN["pl"], "turned"), good], store, RULES)
        assert (report.status, report.documents) == ("partial", 1)
        assert [(each.document_id, each.category) for each in report.problems] == [("russian", "language"), ("turned", "language")]
        assert store.ledger.ids() == ["good", "turned"]
        assert build([document(FOREIGN["ru"], "russian")], store, RULES.replace(languages="en,ru")).status == "ok"
