"""Generation, translation and summaries with tiny models, and extractive summaries with `mini`."""

from __future__ import annotations

import json

import pytest
import torch
from typer.testing import CliRunner

from maskviz.commands import app
from maskviz.errors import CapabilityError, ModelNotFoundError, ParameterError, TextError
from maskviz.masks import apply, mask
from maskviz.models import load_model
from maskviz.models.locate import bundled
from maskviz.readings import generate, rank_sentences, summarise, translate

TEXT = "The quick brown fox jumps. Anna of Paris sees it!  She loved this film."
ABSTRACT = (
    "It rains today. We present a new method for hiding words in texts before a model reads them, "
    "and we measure what changes in its answers. Methods that hide words in texts change what a "
    "model reads and what it answers. Thanks to all."
)


@pytest.fixture(scope="module")
def seq2seq(tiny) -> str:
    return tiny("t5", "Seq2SeqLM")


def test_generation_is_the_networks_own_beam_search(seq2seq: str) -> None:
    model = load_model(seq2seq)
    (answer,) = generate(["Anna sees it"], model, num_beams=3, max_new_tokens=7)
    ids = torch.tensor([model.tokenise("Anna sees it").input_ids])
    with torch.inference_mode():
        expected = model.network("translate").generate(
            input_ids=ids, num_beams=3, max_new_tokens=7, do_sample=False
        )
    assert list(answer.tokens) == expected[0, 1:].tolist()
    assert answer.unfinished is (model.tokenizer.sep_token_id not in answer.tokens)
    assert answer.log_probability < 0


def test_answers_keep_the_order_and_do_not_depend_on_the_batch(seq2seq: str) -> None:
    texts = ["Anna", "the lazy dog and Anna of Paris sees it", "a dull story"]
    together = generate(texts, seq2seq, max_new_tokens=5)
    alone = [generate([text], seq2seq, max_new_tokens=5)[0] for text in texts]
    assert [a.tokens for a in together] == [a.tokens for a in alone]
    assert [a.log_probability for a in together] == pytest.approx(
        [a.log_probability for a in alone], abs=1e-4
    )


def test_greedy_search_scores_its_own_tokens(seq2seq: str) -> None:
    (answer,) = generate(["Anna sees"], seq2seq, num_beams=1, max_new_tokens=4)
    model = load_model(seq2seq)
    ids = torch.tensor([model.tokenise("Anna sees").input_ids])
    written = torch.tensor([[model.config.decoder_start_token_id, *answer.tokens]])
    with torch.inference_mode():
        network = model.network("translate")
        logits = network(input_ids=ids, decoder_input_ids=written[:, :-1]).logits[0]
    steps = logits.log_softmax(-1).gather(1, written[0, 1:, None])
    assert answer.log_probability == pytest.approx(float(steps.mean()), abs=1e-4)


def test_a_masked_encoding_is_what_the_network_reads(seq2seq: str) -> None:
    hidden = apply(mask("Anna sees the dog", "pattern", words="dog"), "delete", seq2seq)
    (masked,) = generate([hidden], seq2seq, max_new_tokens=5)
    model = load_model(seq2seq)
    ids = torch.tensor([hidden.input_ids])
    with torch.inference_mode():
        expected = model.network("translate").generate(
            input_ids=ids, num_beams=4, max_new_tokens=5, do_sample=False
        )
    assert list(masked.tokens) == expected[0, 1:].tolist()


def test_cuts_are_visible(seq2seq: str) -> None:
    long = "fox " * 200 + "end."
    found = translate(long, seq2seq, max_new_tokens=3)
    (sentence,) = found.sentences
    assert "does not read the last" in sentence.cut
    assert found.notice.startswith("Sentence 1: ")
    (answer,) = generate(["Anna"], seq2seq, max_new_tokens=1)
    assert answer.unfinished is True


@pytest.mark.parametrize("family", ["bart", "marian"])
def test_no_more_is_written_than_the_decoder_has_positions_for(tiny, family: str) -> None:
    model = load_model(tiny(family, "Seq2SeqLM"))
    positions = model.config.max_position_embeddings
    for asked in (None, 500):
        (answer,) = generate([TEXT * 9], model, num_beams=2, max_new_tokens=asked)
        assert 0 < len(answer.tokens) < positions
    assert answer.truncated_at is not None


def test_a_translation_keeps_sentences_and_space(seq2seq: str) -> None:
    told: list[tuple[int, int]] = []
    found = translate(TEXT, seq2seq, max_new_tokens=4, progress=lambda *n: told.append(n))
    assert told[-1] == (3, 3)
    assert [TEXT[s.start : s.end] for s in found.sentences] == [
        "The quick brown fox jumps.",
        "Anna of Paris sees it!",
        "She loved this film.",
    ]
    first, second, third = (s.text for s in found.sentences)
    assert found.text == f"{first} {second}  {third}"
    assert json.loads(json.dumps(found.to_dict()))["sentences"][2]["start"] == 51


def test_bad_input_is_one_sentence(seq2seq: str, tiny) -> None:
    for call in (translate, summarise):
        with pytest.raises(TextError, match="empty"):
            call(" \n", seq2seq)
    with pytest.raises(TextError, match="empty"):
        generate([""], seq2seq)
    with pytest.raises(ParameterError, match="num_beams is 17"):
        generate(["a"], seq2seq, num_beams=17)
    with pytest.raises(ParameterError, match="max_new_tokens is 0"):
        translate("a", seq2seq, max_new_tokens=0)
    with pytest.raises(ParameterError, match="sentences is 0"):
        summarise("a", seq2seq, 0)
    with pytest.raises(CapabilityError, match="cannot translate"):
        translate("a", tiny("bert"))


def test_central_sentences_are_chosen_in_their_order() -> None:
    found = summarise(ABSTRACT, "mini", 2)
    assert found.method == "extractive"
    assert found.text == ABSTRACT.removeprefix("It rains today. ").removesuffix(" Thanks to all.")
    assert [s.chosen for s in found.sentences] == [False, True, True, False]
    assert all(found.source[s.start : s.end] == s.text for s in found.sentences)


def test_a_repeated_sentence_is_chosen_once() -> None:
    same = "The committee will publish its report on the new method next week."
    other = "A second group of people reads the report and answers in spring."
    assert summarise(f"{same} {same} {other}", "mini", 2).text == f"{same} {other}"
    assert summarise(f"{same} {same}", "mini", 5).text == f"{same} {same}"


def test_ranking_takes_any_sentences() -> None:
    assert rank_sentences(["Only this one."]) == [0]
    assert sorted(rank_sentences(["", "?!", "A word.", "我们 喜欢"])) == [0, 1, 2, 3]


def test_an_encoder_decoder_writes_its_own_summary(seq2seq: str) -> None:
    found = summarise(TEXT, seq2seq, max_new_tokens=6)
    assert found.method == "abstractive"
    assert found.text == generate([TEXT], seq2seq, max_new_tokens=6)[0].text
    assert found.sentences == ()


def test_the_configurations_prefix_goes_first(tiny, tmp_path) -> None:
    from tests.tiny_models import build

    tasks = {"summarization": {"prefix": "fox: "}, "translation_en_to_fr": {"prefix": "dog: "}}
    folder = str(build("t5", tmp_path, "Seq2SeqLM", task_specific_params=tasks))
    wanted = generate(["fox: Anna sees it."], folder, max_new_tokens=6)[0].text
    assert summarise("Anna sees it.", folder, max_new_tokens=6).text == wanted
    wanted = generate(["dog: Anna sees it."], folder, max_new_tokens=6)[0].text
    assert translate("Anna sees it.", folder, max_new_tokens=6).text == wanted
    plain = generate(["Anna sees it."], folder, max_new_tokens=6)[0].text
    assert translate("Anna sees it.", folder, max_new_tokens=6, prefix="").text == plain


def test_commands_write_text_and_json(seq2seq: str) -> None:
    run = CliRunner().invoke
    plain = run(app, ["summarise", ABSTRACT])
    assert plain.stdout.startswith("We present a new method")
    found = json.loads(run(app, ["summarise", ABSTRACT, "-n", "2", "--json"]).stdout)
    assert sum(s["chosen"] for s in found["sentences"]) == 2
    found = json.loads(
        run(app, ["translate", TEXT, "-m", seq2seq, "--max-tokens", "3", "--json"]).stdout
    )
    assert len(found["sentences"]) == 3


def test_a_sentence_that_comes_again_is_written_once(seq2seq: str) -> None:
    seen = []
    found = translate("It rains. " * 3, seq2seq, progress=lambda *done: seen.append(done))
    assert seen[-1] == (1, 1)
    assert len({sentence.text for sentence in found.sentences}) == 1
    assert len(found.sentences) == 3


def test_of_a_long_text_the_beginning_is_translated_and_that_is_said(seq2seq: str) -> None:
    text = "It rains. " * 2200
    command = ["translate", "--model", seq2seq, "--json", "--max-tokens", "4"]
    cut = CliRunner().invoke(app, command, input=text)
    assert "Translated are the first 4,000 of 4,400 words: --whole translates all." in cut.stderr
    assert json.loads(cut.stdout)["source"].split() == text[:20_000].split()
    whole = CliRunner().invoke(app, [*command, "--whole"], input=text)
    assert json.loads(whole.stdout)["source"].split() == text.split()
    assert "--whole" not in whole.stderr


@pytest.mark.parametrize(
    ("name", "recipe"), [("mini-translate", r"translate\.py"), ("mini-chat", r"mini_chat\.py")]
)
def test_without_a_bundled_model_the_next_step_is_named(
    monkeypatch, name: str, recipe: str
) -> None:
    monkeypatch.setattr("maskviz.models.locate.bundled", lambda: ("mini",))
    from maskviz.models.locate import locate

    with pytest.raises(ModelNotFoundError, match=rf"without '{name}'.*recipes/{recipe}"):
        locate(name)
    assert "mini" in bundled()
