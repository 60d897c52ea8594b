"""Questions agree with plain answers, on every engine and in any company."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from golden.sentences import masked_sentences
from model_store.engines import fill_mask
from model_store.engines.batches.batch import Batch, Scores
from model_store.engines.fill_mask import FillMaskModel
from model_store.errors import InferenceError
from model_store.text.encoding import Encoding, TextLimits
from model_store.text.filled_text import MaskScores
from model_store.text.questions import Filtered, Question, Ranked, Sparse

TEXT = "A [MASK] night and a [MASK] day."
NONE = np.zeros(0, np.int32)


def encode(model: FillMaskModel, text: str, **changes: Any) -> Encoding:
    """Encode with five predictions a mask and the default limits, and change something."""
    encoding = model.encode(text, top_k=5, targets=None, limits=TextLimits())
    return replace(encoding, **changes)


def ask(model: FillMaskModel, question: Question, **changes: Any) -> list[MaskScores]:
    """Ask something of the text alone."""
    [answer] = model.predict([encode(model, TEXT, question=question, **changes)])
    return answer


def list_everything(model: FillMaskModel) -> list[MaskScores]:
    """Return the plain answer of every entry."""
    [answer] = model.predict([encode(model, TEXT, top_k=model.facts.vocabulary_size)])
    return answer


def keep(top_k: int) -> Filtered:
    """Return a filter that keeps everything."""
    return Filtered(top_k, whole_words=False, alphabetic=False, excluded_ids=NONE)


def test_filter_that_keeps_all_changes_nothing(tiny_model: FillMaskModel) -> None:
    """The same entries with the same scores as without it."""
    [plain] = tiny_model.predict([encode(tiny_model, TEXT)])
    for filtered, mask in zip(ask(tiny_model, keep(5)), plain, strict=True):
        assert filtered.token_ids.tolist() == mask.token_ids.tolist()
        assert_allclose(filtered.log_probabilities, mask.log_probabilities, atol=1e-6)
        assert filtered.removed == 0


def test_filter_returns_as_many_as_are_left(tiny_model: FillMaskModel) -> None:
    """It filters before it cuts: the likeliest whole words, not those among the likeliest."""
    whole_words = Filtered(40, whole_words=True, alphabetic=True, excluded_ids=NONE)
    for filtered, plain in zip(
        ask(tiny_model, whole_words), list_everything(tiny_model), strict=True
    ):
        entries = [tiny_model._tokenizer.token_str(token) for token in plain.token_ids.tolist()]
        words = [
            token
            for token, entry in zip(plain.token_ids.tolist(), entries, strict=True)
            if entry.isalpha()
        ]
        assert filtered.token_ids.tolist() == words[:40]
        probabilities = np.exp(plain.log_probabilities.astype(np.float64))
        kept = np.isin(plain.token_ids, words)
        assert filtered.removed == pytest.approx(probabilities[~kept].sum(), abs=1e-5)
        entropy = -(probabilities * plain.log_probabilities).sum()
        assert filtered.entropy == pytest.approx(entropy, abs=1e-4)


def test_ranks_are_the_places_of_the_plain_answer(tiny_model: FillMaskModel) -> None:
    """Those of targets, and of log-probabilities between them."""
    everything = list_everything(tiny_model)
    places = np.array([0, 1, 7, 300])
    target_ids = everything[0].token_ids[places]
    between = everything[0].log_probabilities[places] - 1e-5
    first, second = ask(tiny_model, Ranked(target_ids, between))
    assert first.token_ids.tolist() == target_ids.tolist()
    assert first.ranks is not None
    assert first.ranks.tolist() == (places + 1).tolist()
    assert first.threshold_ranks is not None
    assert first.threshold_ranks.tolist() == (places + 2).tolist()
    order = everything[1].token_ids.tolist()
    assert second.ranks is not None
    assert second.ranks.tolist() == [order.index(token) + 1 for token in target_ids]


def test_vector_of_a_text_is_the_largest_of_those_of_its_tokens(tiny_model: FillMaskModel) -> None:
    """All of them are scored, special tokens too, and come back as one."""
    tokens = len(encode(tiny_model, TEXT).token_ids)
    each = [ask_vector(tiny_model, np.array([position])) for position in range(tokens)]
    assert_allclose(ask_vector(tiny_model, np.arange(tokens)), np.max(each, axis=0), atol=1e-5)
    assert 0 < np.count_nonzero(each[0]) < tiny_model.facts.vocabulary_size


def ask_vector(model: FillMaskModel, positions: np.ndarray) -> np.ndarray:
    """Return the vector over the whole vocabulary of some positions."""
    [mask] = ask(model, Sparse(), mask_positions=positions)
    return spread(model, mask)


def spread(model: FillMaskModel, mask: MaskScores) -> np.ndarray:
    """Return a vector with its zeros."""
    assert mask.vector is not None
    dense = np.zeros(model.facts.vocabulary_size, np.float32)
    dense[mask.vector.token_ids] = mask.vector.values
    return dense


def make_company(model: FillMaskModel) -> list[Encoding]:
    """Return texts that ask for all kinds of things, of masks and of other positions."""
    target_ids = np.array([7, 1, 99], np.int32)
    company = []
    for index, text in enumerate(masked_sentences()[:30]):
        encoding = encode(model, text)
        if len(encoding.token_ids) > 64:
            continue
        everywhere = np.arange(len(encoding.token_ids))
        kinds: list[dict[str, Any]] = [
            {},
            {"target_ids": target_ids},
            {"question": keep(6)},
            {"question": Ranked(target_ids, np.array([-3.0], np.float32))},
            {"question": Sparse(), "mask_positions": everywhere},
            {"segment_ids": (everywhere > 3).astype(np.int32)},
        ]
        company.append(replace(encoding, **kinds[index % len(kinds)]))
    return company


def assert_same(model: FillMaskModel, ours: list[MaskScores], alone: list[MaskScores]) -> None:
    """Assert that two answers for a text agree within 1e-5."""
    for one, other in zip(ours, alone, strict=True):
        if one.vector:
            assert_allclose(spread(model, one), spread(model, other), atol=1e-5)
        assert one.token_ids.tolist() == other.token_ids.tolist()
        assert_allclose(one.log_probabilities, other.log_probabilities, atol=2e-5)
        assert (one.ranks is None) == (other.ranks is None)
        assert one.entropy == pytest.approx(other.entropy, abs=1e-4)


def test_questions_share_batches_with_plain_texts(tiny_model: FillMaskModel) -> None:
    """Each gets what it asked for, as if it were alone."""
    company = make_company(tiny_model)
    assert len(company) > 20
    for encoding, ours in zip(company, tiny_model.predict(company), strict=True):
        assert_same(tiny_model, ours, tiny_model.predict([encoding])[0])


def test_batch_with_too_many_logits_is_run_in_parts(
    tiny_model: FillMaskModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the host holds at a time is bounded, and nothing but that changes."""
    company = make_company(tiny_model)
    whole = tiny_model.predict(company)
    monkeypatch.setattr(fill_mask, "_MOST_LOGITS", 64 * tiny_model.facts.vocabulary_size)
    sizes = []
    run = tiny_model._engine.run

    def count(batch: Batch, k: int) -> Scores:
        sizes.append(batch.masks)
        return run(batch, k)

    monkeypatch.setattr(tiny_model._engine, "run", count)
    for ours, before in zip(tiny_model.predict(company), whole, strict=True):
        assert_same(tiny_model, ours, before)
    assert len(sizes) > 1
    assert max(sizes) <= 64


def test_plain_batches_bring_no_logits(tiny_model: FillMaskModel) -> None:
    """They would have to be brought from an accelerator, and nobody asked."""
    plain, question = encode(tiny_model, TEXT), encode(tiny_model, TEXT, question=Sparse())
    run = tiny_model._engine.run
    assert run(tiny_model.collate([plain]), 1).logits.size == 0
    size = tiny_model.facts.vocabulary_size
    assert run(tiny_model.collate([plain, question]), 1).logits.shape == (4, size)


@pytest.mark.parametrize(
    "question", [keep(1), Ranked(np.ones(1, np.int32), NONE.astype(np.float32)), Sparse()]
)
def test_logits_that_are_no_numbers_are_an_error(
    tiny_model: FillMaskModel, monkeypatch: pytest.MonkeyPatch, question: Question
) -> None:
    """Broken weights never become answers."""
    run = tiny_model._engine.run

    def break_logits(batch: Batch, k: int) -> Scores:
        scores = run(batch, k)
        nan = np.full_like(scores.logits, np.nan)
        return replace(scores, logits=nan, normalizers=nan[:, 0])

    monkeypatch.setattr(tiny_model._engine, "run", break_logits)
    with pytest.raises(InferenceError, match="no numbers"):
        ask(tiny_model, question)


def test_answer_without_the_logits_of_every_mask_is_an_error(
    tiny_model: FillMaskModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that leaves some out is broken."""
    run = tiny_model._engine.run
    monkeypatch.setattr(
        tiny_model._engine, "run", lambda *args: replace(run(*args), logits=run(*args).logits[1:])
    )
    with pytest.raises(InferenceError, match="report this"):
        ask(tiny_model, Sparse())
