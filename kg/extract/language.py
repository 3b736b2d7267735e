"""What language a text is in, by its script and its function words; a text that doesn't clearly say so has none."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from kg.errors import InvalidSetting

__all__ = ["ANY", "NAMES", "VERSION", "detect_language", "languages_of"]

VERSION = "1"
"""Changes with what `detect_language` answers."""

ANY = "any"
"""Value of the setting `languages` that allows every text."""

_ENGLISH = "en"
_FEWEST_HITS, _FEWEST_WORDS, _LEAST_SHARE = 8, 5, 0.08
_HINTED_HITS, _HINTED_WORDS = 3, 2
_AGAINST_ENGLISH = 2
_SCRIPT_SHARE, _FEWEST_LETTERS = 0.6, 40
_ONE_WORD = 5  # letters; scripts without spaces are counted by letters
_KANA_SHARE = 0.1

NAMES: Mapping[str, str] = {
    "ar": "Arabic", "be": "Belarusian", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "th": "Thai", "tl": "Tagalog",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
"""Languages that can be told, by their codes (ISO 639-1)."""

_SAME = {"iw": "he", "in": "id", "ms": "id", "nb": "no", "nn": "no", "bs": "hr", "fil": "tl", "mo": "ro"}

# Frequent words with no content. Left out are words that English has too (was, die, on, as) and those of names (de, la, van, der, el).
_FUNCTION_WORDS: Mapping[str, str] = {
    "en": "the of and to in that for is was with as it on by are be this have from at has had were which his her their an not but "
    "they he she you we or will would can been more when who its after also said about than into could what there him my "
    "your our all some other only over most then these those how where while because through between during before under "
    "against up out if so i them may must should do does did being such just now no one two first new",
    "fr": "et des est que qui dans une pour par pas sur avec ce il sont ont cette ses aux elle au mais nous vous leur été être "
    "comme même aussi leurs ces après très était fait entre depuis alors ainsi sans selon dont où deux avait avoir encore "
    "lors c'est qu'il",
    "de": "und ist nicht mit das sich auf für ein eine auch es werden aus er hat dass sie nach wird bei einer um noch wie über "
    "einen einem zum haben nur oder aber vor zur bis mehr durch wurde sei sind seit wenn diese dieser ihre seine kann sehr "
    "gegen schon zwischen",
    "es": "que y las una por con para su se es lo como más pero sus ya este ha sí porque esta entre cuando muy sin sobre también "
    "fue había desde está están todo nos durante según hasta donde ser años dos ante han esto tras",
    "it": "che è un una con non sono si della dei nella delle alla dalla gli più anche ma al nel ha ai suo sua questo questa "
    "hanno dal stato essere loro sul degli sulla fra tra quando dopo anni stata alle molto ancora dove cui nei lo",
    "pt": "que e os uma para não por mais dos das se na ao ele como mas foi à seu sua ou quando muito nos já está também pelo "
    "pela até isso ela entre depois são às mesmo aos têm anos foram sobre disse ser tem após nas segundo em um",
    "nl": "het een en dat op te zijn voor niet aan er om ook als maar bij uit naar nog hij deze wordt heeft worden dan werd "
    "hebben haar meer wat zich geen jaar kan tegen hun onder veel moet zij omdat na waar tot sinds al wij tijdens",
    "sv": "och att det som på är av för med till den har inte om ett var jag sig så från vi kan när år också där efter eller nu "
    "över hade mot skulle hans ut vid blev mycket mellan sin ska hon enligt",
    "da": "og det som på er af til med den har ikke om et sig så fra vi kan når også efter eller nu havde mod skulle ud ved blev "
    "meget mellem sin skal hun ifølge var han bliver været være hvor der år nogle siger",
    "no": "og det som på er av til med den har ikke om et seg så fra vi kan når også etter eller nå hadde mot skulle ut ved ble "
    "mye mellom sin skal hun ifølge var han blir vært være hvor år noen sier fikk",
    "fi": "ja ei se että oli ovat myös mutta hän kun niin kuin joka ole tai sen mukaan vain jo sitä ne vuonna voi olla jos mitä "
    "nyt ollut tämä sekä jälkeen enää hänen jotka vielä kanssa ennen koska vuoden",
    "pl": "w na się z nie jest że jak o za od po przez dla który ale oraz przy są był była być jego jej tym co także roku już "
    "tego które bardzo tylko między jako ich lub może będzie została został czy przed",
    "cs": "v se na je že z o k jsou za ve pro ale jeho které který jako nebo byl byla bylo při po od také už jen může mezi podle "
    "roku více před své která její této tak bude ještě",
    "sk": "v sa na je že z o k aj sú za vo pre ale jeho ktoré ktorý ako alebo bol bola bolo pri po od tiež už len môže medzi "
    "podľa roku viac pred svoje ktorá jej tejto tak bude ešte",
    "sl": "je na za se da ki pa v z tudi kot ne bi po iz pri od ali še bo bil bila bilo med več lahko ter leta kar vse že tako "
    "zaradi samo kjer kako njegov",
    "hr": "je u na se da su za od ne o koji kao što bi iz će ili li samo nije već sve bio bila bilo koje kako ali prema još "
    "između godine biti jer nakon sam više također koja",
    "hu": "az és hogy nem egy meg ez volt csak ki már még mint lesz vagy azt ha szerint után minden között pedig ezt lehet amely "
    "több aki nagyon majd kell itt azonban illetve",
    "ro": "și să nu pentru din cu este au fost mai se ce pe lui sunt dar sau fi după această acest prin când până fără între ale "
    "lor despre iar avea cea cel într-o doar toate anul ani",
    "tr": "ve bir bu için ile da çok gibi olarak daha olan sonra kadar ancak ama ne en değil göre o var ki oldu ise olduğunu "
    "tarafından bunu şu hem ya iki ilk yeni yıl önce diye dedi",
    "id": "yang dan di untuk dengan dari ini pada itu tidak dalam akan juga ke karena ada oleh bisa saat sudah telah atau lebih "
    "mereka kami saya menjadi tersebut adalah sebagai seperti kata tahun dia antara setelah bahwa sebuah para dapat harus "
    "namun",
    "vi": "và của là có được cho trong các với không một những người này đã đến khi từ để ra về như tại cũng sẽ nhiều đó trên "
    "nhưng năm vào việc hơn phải còn rất đang theo sau bị",
    "ca": "que els les una amb és al dels ha més però seva seu aquest aquesta també són va entre quan ser hi han sobre fins molt "
    "després des anys estat ja",
    "et": "ja ei et oli kui ka mis aga ning seda kes oma ta selle üks või siis veel juba pärast väga tema ole nii enne kõik "
    "aastal järgi kuid saab",
    "lt": "ir yra kad į iš su tai kaip bet ne buvo už jo taip pat apie tik jau dėl jos jie nuo kai arba gali labai po metų prie "
    "savo šis šios kuris kurie",
    "lv": "un ir ka ar par uz bija tas kas arī bet gan vai pēc tā kā lai viņš nav viņa tika gada ļoti pie šo savu jau tikai līdz "
    "kurš",
    "sw": "na ya wa kwa ni katika za kuwa hii cha alisema hiyo baada lakini pia kama yake huo huyo hilo ili sana ambayo ambao "
    "mwaka",
    "tl": "ang ng sa mga na ay para kay niya nila siya ito hindi kanyang ni nang isang din rin kung dahil pero sila bilang",
    "ru": "и в не на что с он как это по но они из у к за от его для о так же все она мы было бы был была были или только еще уже "
    "когда после который которая которые также до при этого году лет может чтобы",
    "uk": "і в не на що з він як це та але вони із у до за від його для про так же все вона ми було б був була були або тільки ще "
    "вже коли після який яка які також при цього році може щоб є",
    "be": "і ў не на што з ён як гэта але яны у да за ад яго для пра так усе яна мы было быў была былі або толькі яшчэ калі пасля "
    "які якая таксама пры гэтага годзе можа каб",
    "bg": "и в не на че с той като това по но те из от го за се да са ще е към бе беше или само още вече когато след който която "
    "които също до при този години може",
    "sr": "и је у на се да су за од с а не о који као што то би из ће или само није већ све био била било које како али према још "
    "између године бити јер након више такође која",
    "ar": "في من على إلى أن عن مع هذا هذه التي الذي كان كانت لا ما هو هي بعد قد كما لم بين أو حتى ذلك خلال قال",
    "fa": "در و به از که این را با است برای آن یک هم تا بر شد خود ها کرد شده می نیز او اما پس کند یا بود",
    "ur": "کے میں کی ہے اور سے کا کو اس نے پر کہ ہیں کر یہ بھی تھا ایک جو کیا تو نہیں ان وہ",
}  # fmt: skip

_SCRIPTS = {
    "GREEK": "el", "CYRILLIC": "ru", "HEBREW": "he", "ARABIC": "ar", "DEVANAGARI": "hi", "THAI": "th", "HANGUL": "ko", "HIRAGANA": "ja",
    "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip
_SHARED = {"CYRILLIC": ("ru", "uk", "be", "bg", "sr"), "ARABIC": ("ar", "fa", "ur")}
_LATIN = "LATIN"
_WORD = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+(?:['-](?:[^\W\d_][\u0300-\u036f]*)+)*")
_LONGEST_WORD = 30  # composing a long run of combining marks takes time that grows with its square


def languages_of(setting: str) -> frozenset[str]:
    """The codes that the setting `languages` names (empty: every language); InvalidSetting for what is no code."""
    codes = [_primary(code) for code in setting.split(",") if code.strip()]
    if not codes or not all(code == ANY or re.fullmatch("[a-z]{2,3}", code) for code in codes):
        hint = f"write codes such as en,fr, or {ANY}; see `kg settings`, or unset KG_LANGUAGES"
        raise InvalidSetting(f"languages takes codes of languages, not {setting!r}", hint=hint)
    return frozenset() if ANY in codes else frozenset(codes)


def detect_language(text: str, hint: str | None = None) -> str | None:
    """Code of the language that a text is in; None where it is too short, too mixed or no prose (a list of names).

    `hint` is what the source says of itself: it counts only where the text has few words, and then only if they agree.
    A script that no known language is written in gives its name in small letters.
    """
    scripts = _scripts(text)
    letters = sum(scripts.values())
    words = _words(text)
    if letters - scripts[_LATIN] >= _SCRIPT_SHARE * letters:
        return _by_script(scripts, words) if letters >= _FEWEST_LETTERS else None
    total = max(words.total(), letters // _ONE_WORD)
    hits = {code: _hits(words, known) for code, known in _known_words().items()}
    english, _ = hits.pop(_ENGLISH)
    best = max(hits, key=lambda code: (hits[code], code))
    if _clear(*hits[best], total) and hits[best][0] >= _AGAINST_ENGLISH * english:
        return best
    if _clear(english, _FEWEST_WORDS, total) and english >= _AGAINST_ENGLISH * hits[best][0]:
        return _ENGLISH
    hinted = _primary(hint or "")
    count, different = hits.get(hinted, (0, 0))
    enough = count >= _HINTED_HITS and different >= _HINTED_WORDS and count >= _LEAST_SHARE * total
    return hinted if enough and count >= _AGAINST_ENGLISH * english else None


def _primary(tag: str) -> str:
    code = re.split("[-_]", tag.strip().lower())[0]
    return _SAME.get(code, code)


@cache
def _known_words() -> Mapping[str, frozenset[str]]:
    return {code: frozenset(words.casefold().split()) for code, words in _FUNCTION_WORDS.items()}


def _words(text: str) -> Counter[str]:
    """Words in small letters, composed."""
    found: Counter[str] = Counter()
    for word, count in Counter(_WORD.findall(text.casefold().replace("’", "'"))).items():
        found[word if word.isascii() or len(word) > _LONGEST_WORD else unicodedata.normalize("NFC", word)] += count
    return found


def _hits(words: Counter[str], known: Iterable[str]) -> tuple[int, int]:
    """How many of the words are function words, and how many different ones."""
    found = [words[word] for word in known if word in words]
    return sum(found), len(found)


def _clear(hits: int, different: int, total: int) -> bool:
    return hits >= _FEWEST_HITS and different >= _FEWEST_WORDS and hits >= _LEAST_SHARE * total


def _scripts(text: str) -> Counter[str]:
    """Letters by script."""
    found: Counter[str] = Counter()
    for char, count in Counter(text).items():
        if char.isalpha():
            found[unicodedata.name(char, "?").split()[0]] += count
    return found


def _by_script(scripts: Counter[str], words: Counter[str]) -> str:
    """The language of a text that is mostly in another script than Latin."""
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    if kana and kana >= _KANA_SHARE * (kana + scripts["CJK"]):
        return "ja"
    script = max((name for name in scripts if name != _LATIN), key=lambda name: (scripts[name], name))
    candidates = _SHARED.get(script)
    if candidates:
        return max(candidates, key=lambda code: (_hits(words, _known_words()[code]), code == _SCRIPTS[script]))
    return _SCRIPTS.get(script, script.lower())
