"""A loaded preset that answers, without HTTP."""

from typing import overload

from fillmask.answers import FilledText, Prediction, TargetPrediction
from fillmask.filling import Overflow, fill, score_targets
from fillmask.inputs import (
    Inputs,
    Targets,
    Texts,
    read_inputs,
    read_span,
    read_targets,
    read_texts,
    require_at_least_one,
    require_one_gap,
)
from fillmask.runner import Runner
from model_store.engines.fill_mask import FillMaskModel, ModelFacts
from model_store.errors import InputError
from model_store.tasks.candidate_filter import CandidateFilter
from model_store.tasks.embed_sparse import EmbeddedText, EmbedSparseRequest
from model_store.tasks.joint.request import JointRequest, JointText
from model_store.tasks.score import Method, ScoredText, ScoreRequest
from model_store.tasks.tokenize import TokenizeRequest
from model_store.text.tokenized_text import Token

DEFAULT_TOP_K = 5


class LoadedModel:
    """A preset in memory, which `fillmask.load` returns.

    Every method takes one text or several, and answers with a list, one entry for each text, in
    order. Texts run together in batches, so several at a time take less than one after the other.

    It may be used from several threads: they tokenize side by side and take turns at the engine, a
    batch each. It cannot be pickled or forked: each process loads its own. Its memory is given
    back when nothing refers to it any more.

        >>> model = fillmask.load("minilm_l6_en_uncased")
        >>> [paris] = model.fill_mask("The capital of France is [MASK].")
        >>> paris.masks[0].predictions[0].token_str
        'paris'
    """

    def __init__(self, name: str, model: FillMaskModel) -> None:
        """Take a model that nobody else uses."""
        self.name = name
        self._runner = Runner(model)

    def __repr__(self) -> str:
        """Name the preset, and what runs it."""
        return f"<LoadedModel {self.name}: {self.engine}, {self.facts.precision}>"

    @property
    def engine(self) -> str:
        """What runs it: `openvino`, `tensorflow`, `jax` or `torch`."""
        return self._runner.model.engine

    @property
    def facts(self) -> ModelFacts:
        """Its sizes, its precision, and what was measured."""
        return self._runner.model.facts

    @property
    def mask_token(self) -> str:
        """The preset's own spelling of a missing word; `[MASK]` is understood for every preset."""
        return self._runner.model.mask_token

    @overload
    def fill_mask(
        self,
        inputs: Inputs,
        *,
        top_k: int | None = None,
        targets: None = None,
        filter: CandidateFilter | None = None,
        overflow: Overflow = "error",
    ) -> list[FilledText[Prediction]]: ...

    @overload
    def fill_mask(
        self,
        inputs: Inputs,
        *,
        top_k: int | None = None,
        targets: Targets,
        overflow: Overflow = "error",
    ) -> list[FilledText[TargetPrediction]]: ...

    def fill_mask(
        self,
        inputs: Inputs,
        *,
        top_k: int | None = None,
        targets: Targets | None = None,
        filter: CandidateFilter | None = None,  # noqa: A002  # its name over HTTP
        overflow: Overflow = "error",
    ) -> list[FilledText[Prediction]] | list[FilledText[TargetPrediction]]:
        """Say which tokens belong at each mask, or how likely given words are there.

            >>> model.fill_mask("The capital of France is [MASK].", top_k=1)
            >>> model.fill_mask("She is a [MASK] person.", targets=["good", "trustworthy"])
            >>> model.fill_mask(fillmask.TextPair("Is it cold?", "Yes, there is [MASK]."))

        Args:
            inputs: a text or several, or a `TextPair` for each that is read with a second one; each
                with at least one mask.
            top_k: how many predictions a mask: 5 if left out, or all targets.
            targets: words to score instead of the likeliest: a list for all inputs, or a list of
                lists, one for each input. A word of several pieces is scored as a whole.
            filter: what may be among the likeliest; not together with targets.
            overflow: what becomes of a text that is longer than the model takes: `error`, or
                `window`, the words around each mask. A pair is always read whole.

        Raises:
            InputError: a text or a target cannot be used.
            InferenceError: the engine failed.
        """
        texts = read_inputs(inputs)
        if top_k is not None:
            require_at_least_one("top_k", top_k)
        if targets is None:
            return fill(
                self._runner, texts, DEFAULT_TOP_K if top_k is None else top_k, filter, overflow
            )
        if filter is not None:
            message = "Targets and a filter exclude each other; leave one of them out."
            raise InputError(message)
        return score_targets(
            self._runner, texts, read_targets(targets, len(texts)), top_k, overflow
        )

    def fill_jointly(
        self,
        inputs: Texts,
        *,
        top_k: int = DEFAULT_TOP_K,
        beam_width: int | None = None,
        span: tuple[int, int] | None = None,
        overflow: Overflow = "error",
    ) -> list[JointText]:
        """Fill all masks of a text so that they fit each other.

            >>> model.fill_jointly("He lives in [MASK] [MASK].")[0].sequences[0].text

        Args:
            inputs: a text or several, each with at least one mask.
            top_k: how many fillings of each text.
            beam_width: how many are followed at a time: 8 if left out, or `top_k` if that is more.
            span: how few and how many masks are tried in place of each run of them; as many as
                there are if left out.
            overflow: what becomes of a text that is longer than the model takes: `error`, or
                `window`, the words around its masks.

        Raises:
            InputError: a text cannot be used.
            InferenceError: the engine failed.
        """
        require_at_least_one("top_k", top_k)
        require_at_least_one("beam_width", 1 if beam_width is None else beam_width)
        if beam_width is not None and top_k > beam_width:
            message = f"A beam ends with {beam_width} fillings; ask for a top_k that is no larger."
            raise InputError(message)
        lengths = None if span is None else read_span(*span)
        joint = JointRequest(read_texts(inputs), top_k, beam_width, lengths, overflow == "window")
        return self._runner.run(joint)

    @overload
    def score(self, inputs: Texts, *, method: Method = "pll_word_l2r") -> list[ScoredText]: ...

    @overload
    def score(
        self, *, template: str, candidates: Texts, method: Method = "pll_word_l2r"
    ) -> list[ScoredText]: ...

    def score(
        self,
        inputs: Texts | None = None,
        *,
        template: str | None = None,
        candidates: Texts | None = None,
        method: Method = "pll_word_l2r",
    ) -> list[ScoredText]:
        """Say how likely whole texts are, or the candidates for the `{}` of a template.

            >>> model.score(["The dogs bark.", "The dogs barks."])
            >>> model.score(template="He went to the {}.", candidates=["bank", "swimming pool"])

        Args:
            inputs: a text or several, without masks.
            template: in place of these, a text with one `{}`.
            candidates: what is written there, each in turn.
            method: what is masked while a token is scored: that token (`pll`), or the later pieces
                of its word as well (`pll_word_l2r`).

        Raises:
            InputError: a text cannot be used, or there is no single `{}`.
            InferenceError: the engine failed.
        """
        if inputs is not None and template is None and candidates is None:
            return self._runner.run(ScoreRequest(read_texts(inputs), method=method))
        if inputs is None and template is not None and candidates is not None:
            [template] = read_texts(template)
            require_one_gap(template)
            return self._runner.run(ScoreRequest(read_texts(candidates), template, method))
        message = "Give either texts, or a template and its candidates."
        raise InputError(message)

    def embed_sparse(
        self,
        inputs: Texts,
        *,
        top_k: int | None = None,
        truncate: bool = False,
        token_str: bool = False,
    ) -> list[EmbeddedText]:
        """Return the sparse vector of each text, as SPLADE's models make them.

            >>> model.embed_sparse("What is a sparse vector?", top_k=100)[0].vector.token_ids

        Args:
            inputs: a text or several.
            top_k: how many of a vector's largest values; all above zero if left out.
            truncate: whether to cut a text that is longer than the model takes.
            token_str: whether to name the `entries` of the vocabulary too.

        Raises:
            InputError: a text cannot be used.
            InferenceError: the engine failed.
        """
        most = self.facts.vocabulary_size if top_k is None else top_k
        require_at_least_one("top_k", most)
        return self._runner.run(EmbedSparseRequest(read_texts(inputs), truncate, most, token_str))

    def tokenize(self, inputs: Texts, *, add_special_tokens: bool = True) -> list[list[Token]]:
        """Return the tokens of each text, however long it is.

            >>> [token.text for token in model.tokenize("unaffable")[0]]

        Args:
            inputs: a text or several.
            add_special_tokens: whether what the model needs around a text is listed, too.

        Raises:
            InputError: one is no text.
        """
        return self._runner.run(TokenizeRequest(read_texts(inputs), add_special_tokens))
