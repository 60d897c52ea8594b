"""A loaded model answers from Python what it answers over HTTP."""

import json
import math
import sys
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

import fillmask
from fakes import VOCABULARY, FakeEngine, make_model, score_by_id
from fillmask.limits import UNLIMITED
from fillmask.loaded_model import LoadedModel
from model_store.engines.batches.batch import Batch, Scores
from model_store.tasks import TaskLimits, TaskRequest, drive
from model_store.tasks.fill import FillRequest
from model_store.tasks.targets import TargetsRequest
from service.routes.fill_mask.answer import write_filled, write_targets

TEXTS = ["the cat sat [MASK]", "[MASK] is the capital of [MASK]."]
FILTER = fillmask.CandidateFilter(whole_words=True)
TWO_ORIGINALS = fillmask.CandidateFilter(originals=["cat", "dog"])
LONE_SURROGATE = "the \ud800 [MASK]"


def load(engine: FakeEngine | None = None, batch_tokens: int = 4096) -> LoadedModel:
    """Return a loaded model around an engine that is none."""
    return LoadedModel("fake", make_model(engine, batch_tokens=batch_tokens))


def ask(request: TaskRequest[list[Any]]) -> list[Any]:
    """Return what the task itself answers."""
    model = make_model()
    return drive(request.start(model, TaskLimits()), model.predict, 4096)


def listed(answer: fillmask.FilledText[Any]) -> Any:
    """Return an answer as JSON would have it: without the texts, and without what is None."""
    fields = asdict(answer)
    del fields["text"], fields["text_pair"]
    fields["truncated"] = fields["truncated"] or None
    fields["masks"] = [
        drop_nothing(mask | {"predictions": [*mask["predictions"]]}) for mask in fields["masks"]
    ]
    return drop_nothing(fields)


def as_json(answer: Any) -> Any:
    """Return an answer with lists for tuples."""
    return json.loads(json.dumps(answer))


def drop_nothing(found: dict[str, Any]) -> dict[str, Any]:
    """Return a dict without what is None."""
    return {name: value for name, value in found.items() if value is not None}


def test_filling_answers_what_http_does() -> None:
    """Field by field."""
    answers = load().fill_mask(TEXTS, top_k=3)
    assert [answer.text for answer in answers] == TEXTS
    assert [*map(listed, answers)] == [*map(write_filled, ask(FillRequest(TEXTS, 3)))]


def test_filters_answer_what_http_does() -> None:
    """With what is known of each mask."""
    kept = fillmask.CandidateFilter(whole_words=True, exclude=["paris"])
    answers = load().fill_mask(TEXTS, top_k=2, filter=kept)
    assert [*map(listed, answers)] == [*map(write_filled, ask(FillRequest(TEXTS, 2, filter=kept)))]
    assert [p.token_str for p in answers[0].masks[0].predictions] == ["london", "the"]
    assert answers[0].masks[0].removed_probability


def test_long_texts_are_seen_through_windows() -> None:
    """A text that fits is seen whole, and says nothing of it; the other is refused without."""
    model = load()
    long = f"{'cat ' * 50}[MASK]"
    short, cut = model.fill_mask([TEXTS[0], long], top_k=1, overflow="window")
    assert (short.truncated, short.masks[0].seen) == (False, None)
    [mask] = cut.masks
    assert cut.truncated
    assert mask.seen
    assert long[slice(*mask.seen)].endswith("cat [MASK]")
    assert 0 < mask.seen[0] < mask.start
    [targeted] = model.fill_mask(long, targets="dog", overflow="window")
    assert (targeted.truncated, targeted.masks[0].seen) == (True, mask.seen)
    assert targeted.masks[0].predictions[0].target == "dog"
    for options in ({}, {"targets": "dog"}):
        with pytest.raises(fillmask.InputError, match="limit is 32"):
            model.fill_mask(long, **options)


def test_masks_are_filled_together() -> None:
    """As many fillings as asked for, of as many masks as allowed."""
    model = load()
    [filled] = model.fill_jointly("the [MASK] [MASK]", top_k=2)
    assert len(filled.sequences) == 2
    assert filled.sequences[0].text == "the paris paris"
    [stretched] = model.fill_jointly("the [MASK]", top_k=4, beam_width=4, span=(1, 2))
    lengths = {len(sequence.spans[0].masks) for sequence in stretched.sequences}
    assert lengths == {1, 2}
    [cut] = model.fill_jointly(f"{'cat ' * 50}[MASK]", overflow="window")
    assert cut.is_truncated


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"top_k": 0}, "top_k is 0; ask for at least 1."),
        ({"beam_width": 0}, "beam_width is 0; ask for at least 1."),
        (
            {"beam_width": 4},
            "A beam ends with 4 fillings; ask for a top_k that is no larger.",
        ),
        ({"span": (0, 2)}, "span is (0, 2); give (1, 3) or the like, the lower number first."),
        ({"span": (3, 2)}, "span is (3, 2); give (1, 3) or the like, the lower number first."),
    ],
)
def test_joint_filling_refuses_what_makes_no_sense(options: dict[str, Any], sentence: str) -> None:
    """In a sentence."""
    with pytest.raises(fillmask.InputError) as raised:
        load().fill_jointly("the [MASK]", **options)
    assert str(raised.value) == sentence


def test_no_limit_is_left() -> None:
    """Also none that is new."""
    counts = asdict(UNLIMITED)
    assert {*counts.pop("text").values(), *counts.values()} == {sys.maxsize}


def test_targets_are_answered_as_over_http() -> None:
    """Field by field: exact ones, pieces, and unknown ones."""
    words = ["paris", "pariss", "好"]
    answers = load().fill_mask(TEXTS, targets=words)
    written = [*map(write_targets, ask(TargetsRequest(TEXTS, [words] * 2)))]
    assert as_json([*map(listed, answers)]) == as_json(written)
    assert [p.match for p in answers[0].masks[0].predictions] == ["exact", "pieces", "unknown"]


def test_pairs_are_answered_as_over_http() -> None:
    """Each mask says in which text it lies; a text beside them lies in none."""
    inputs = ["the [MASK]", fillmask.TextPair("the cat [MASK].", "The [MASK] sat.")]
    model = load()
    alone, pair = answers = model.fill_mask(inputs, top_k=2)
    assert [*map(listed, answers)] == [*map(write_filled, ask(FillRequest(inputs, 2)))]
    assert [mask.part for mask in pair.masks] == ["text", "text_pair"]
    assert (pair.text, pair.text_pair) == ("the cat [MASK].", "The [MASK] sat.")
    assert (alone.text_pair, alone.masks[0].part) == (None, None)
    assert model.fill_mask(inputs[1], top_k=2) == [pair]
    [targeted] = model.fill_mask(inputs[1], targets=["cats"])
    [written] = map(write_targets, ask(TargetsRequest(inputs[1:], [["cats"]])))
    assert as_json(listed(targeted)) == as_json(written)


@pytest.mark.parametrize("options", [{}, {"targets": "cat"}])
def test_pairs_are_read_whole(options: dict[str, Any]) -> None:
    """No window is cut out of them."""
    inputs = ["the [MASK]", fillmask.TextPair("the cat [MASK].", "The [MASK] sat.")]
    with pytest.raises(fillmask.InputError, match=r"^A pair is read whole; leave") as raised:
        load().fill_mask(inputs, overflow="window", **options)
    assert raised.value.input == 1


def test_one_text_is_a_list_of_one() -> None:
    """For inputs, targets and candidates alike."""
    model = load()
    assert model.fill_mask(TEXTS[0]) == model.fill_mask(TEXTS[:1])
    assert model.fill_mask(TEXTS[0], targets="cat") == model.fill_mask(TEXTS[:1], targets=["cat"])
    assert model.score("the cat") == model.score(["the cat"])
    assert model.tokenize("the cat") == model.tokenize(["the cat"])
    assert len(model.embed_sparse("the cat")) == 1
    assert len(model.score(template="the {}", candidates="cat")) == 1


def test_five_predictions_are_answered_unless_others_are_asked_for() -> None:
    """Of targets all; never more than there are."""
    model = load()

    def count(**options: Any) -> int:
        [answer] = model.fill_mask("[MASK]", **options)
        return len(answer.masks[0].predictions)

    assert [count(), count(top_k=2), count(top_k=999)] == [5, 2, len(VOCABULARY)]
    words = list(VOCABULARY[3:11])
    assert [count(targets=words), count(targets=words, top_k=2)] == [8, 2]


def test_each_input_may_have_targets_of_its_own() -> None:
    """In the order of the inputs."""
    answers = load().fill_mask(TEXTS, targets=[["cat"], ["dog", "of"]])
    assert [[p.target for p in answer.masks[0].predictions] for answer in answers] == [
        ["cat"],
        ["of", "dog"],
    ]


def test_texts_are_scored() -> None:
    """As they are, or in a template; every entry has the probability of its id."""
    model = load()
    [text] = model.score("paris london")
    assert text.total == pytest.approx(-3 * math.log(2))
    filled = model.score(template="the {}", candidates=["cat", "paris"], method="pll")
    assert [text.text for text in filled] == ["the cat", "the paris"]
    assert filled[1].total > filled[0].total


def test_sparse_vectors_hold_what_is_above_zero() -> None:
    """The largest of it, by name where asked."""
    model = load()
    [[whole], [cut]] = (model.embed_sparse("the cat"), model.embed_sparse("the cat", top_k=1))
    assert whole.vector.token_ids.tolist() == [0, 1]
    assert cut.vector.token_ids.tolist() == [0]
    [named] = model.embed_sparse("the cat", token_str=True)
    assert named.entries == ("paris", "london")


def test_tokens_are_listed() -> None:
    """With and without what the model needs around them."""
    model = load()
    assert [token.text for token in model.tokenize("the cat")[0]] == [
        "[CLS]",
        "the",
        "cat",
        "[SEP]",
    ]
    [bare] = model.tokenize("the cat", add_special_tokens=False)
    assert [token.text for token in bare] == ["the", "cat"]


def test_nothing_in_is_nothing_out() -> None:
    """Of every task, without a run of the engine."""
    engine = FakeEngine()
    model = load(engine)
    asked: list[list[Any]] = [
        model.fill_mask([]), model.fill_mask([], targets=["cat"]), model.score([]),
        model.embed_sparse([]), model.tokenize([]),
    ]  # fmt: skip
    assert asked == [[]] * 5
    assert not engine.batch_sizes


def test_long_lists_run_in_batches() -> None:
    """Of as many tokens as pay, in order."""
    engine = FakeEngine()
    texts = [f"{'cat ' * (1 + number % 3)}[MASK]" for number in range(20)]
    answers = load(engine, batch_tokens=16).fill_mask(iter(texts))
    assert [answer.text for answer in answers] == texts
    assert sum(engine.batch_sizes) == len(texts)
    assert max(engine.batch_sizes) <= 4


def test_the_engine_is_run_by_one_thread_at_a_time() -> None:
    """The turn is taken while it runs, given back after, also when it fails."""
    taken: list[bool] = []

    def look(batch: Batch, k: int) -> Scores:
        taken.append(model._runner.turn.locked())
        if len(taken) > 1:
            raise OSError
        return score_by_id(batch, k)

    model = load(FakeEngine(answer=look))
    model.fill_mask(TEXTS)
    assert not model._runner.turn.locked()
    with pytest.raises(fillmask.ModelStoreError, match="engine failed"):
        model.fill_mask(TEXTS)
    assert taken == [True, True]
    assert not model._runner.turn.locked()


@pytest.mark.parametrize(
    ("inputs", "options", "sentence", "index"),
    [
        ("the cat", {}, "The text has no [MASK]; write it where a word is missing.", 0),
        (["a [MASK]", ""], {}, "The text is empty; send a sentence.", 1),
        (["a [MASK]", 7], {}, "int is no text; give strings.", 1),
        (None, {}, "NoneType is no text, and no list of texts; give strings.", None),
        (["a [MASK]", fillmask.TextPair("a [MASK]", LONE_SURROGATE)], {}, "A lone surrogate", 1),
        (fillmask.TextPair("a [MASK]", ""), {}, "The text is empty; send a sentence.", 0),
        (LONE_SURROGATE, {}, "A lone surrogate is no character; decode the text anew", 0),
        ("a [MASK]", {"top_k": 0}, "top_k is 0; ask for at least 1.", None),
        ("a [MASK]", {"targets": []}, "There are no targets; give at least one", 0),
        (["a [MASK]"] * 2, {"targets": [["cat"], []]}, "There are no targets", 1),
        ("a [MASK]", {"targets": [7]}, "int is no text, and no list of texts; give strings.", None),
        (["a [MASK]"] * 2, {"targets": ["cat", ["dog"], "of"]}, "has 3 lists of targets", None),
        ("a [MASK]", {"targets": ["cat"], "filter": FILTER}, "Targets and a filter exclude", None),
        ("a [MASK]", {"filter": TWO_ORIGINALS}, "no originals, or one for each input.", None),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(
    inputs: Any, options: dict[str, Any], sentence: str, index: int | None
) -> None:
    """And the index of the input says which, before anything runs."""
    engine = FakeEngine()
    with pytest.raises(fillmask.InputError) as raised:
        load(engine).fill_mask(inputs, **options)
    assert sentence in str(raised.value)
    assert raised.value.input == index
    assert not engine.batch_sizes


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"inputs": "the cat", "candidates": "cat"},
        {"inputs": "the cat", "template": "the {}"},
        {"candidates": "cat"},
        {"template": "the {}"},
    ],
)
def test_scoring_takes_texts_or_a_template(options: dict[str, Any]) -> None:
    """Not both, not half of one."""
    with pytest.raises(fillmask.InputError, match=r"^Give either texts, or a template"):
        load().score(**options)


@pytest.mark.parametrize("template", ["the", "{} {}"])
def test_template_has_one_gap(template: str) -> None:
    """Where its candidates go."""
    with pytest.raises(fillmask.InputError, match=r"^The template needs one {}"):
        load().score(template=template, candidates=["cat"])


def test_it_says_what_it_is() -> None:
    """In a notebook's words, and to programs."""
    model = load()
    assert repr(model) == "<LoadedModel fake: fake, float32>"
    assert (model.engine, model.mask_token) == ("fake", "[MASK]")
    assert model.facts.vocabulary_size == len(VOCABULARY)
    assert model.embed_sparse("cat")[0].vector.values.dtype == np.float32
