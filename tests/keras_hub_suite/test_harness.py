"""KerasHub's own tests of its classes, which its wheel ships the harness of, turned on ours.

The cases are those of KerasHub's repository, `keras_hub/src/models/bert/*_test.py`.
"""

from typing import Any

import keras
import numpy as np
import pytest
from keras_hub.src.tests.test_case import TestCase

from fillmask import BertBackbone, BertMaskedLM, BertMaskedLMPreprocessor, BertTokenizer

pytestmark = [
    pytest.mark.keras_hub,
    # The harness calls Keras in ways that Keras warns of.
    pytest.mark.filterwarnings("default"),
]

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


class TestBertTokenizer(TestCase):  # type: ignore[misc]
    """`BertTokenizerTest`."""

    def setUp(self) -> None:
        """Make a vocabulary of two cases."""
        super().setUp()
        words = ["THE", "QUICK", "BROWN", "FOX", "the", "quick", "brown", "fox"]
        self.init_kwargs: dict[str, Any] = {"vocabulary": SPECIAL + words}
        self.input_data = ["THE QUICK BROWN FOX", "THE FOX"]

    def test_tokenizer_basics(self) -> None:
        """Serialisation, direct calls, `tf.data` and Grain."""
        self.run_preprocessing_layer_test(
            cls=BertTokenizer,
            init_kwargs=self.init_kwargs,
            input_data=self.input_data,
            expected_output=[[5, 6, 7, 8], [5, 8]],
        )

    def test_detokenize(self) -> None:
        """The harness does this for classes of KerasHub's own alone."""
        tokenizer = BertTokenizer(**self.init_kwargs)
        self.assertAllEqual(tokenizer.detokenize(tokenizer(self.input_data)), self.input_data)

    def test_lowercase(self) -> None:
        """The other case is found."""
        tokenizer = BertTokenizer(**self.init_kwargs, lowercase=True)
        self.assertAllEqual(tokenizer(self.input_data), [[9, 10, 11, 12], [9, 12]])

    def test_tokenizer_special_tokens(self) -> None:
        """Where they are asked for."""
        tokenizer = BertTokenizer(**self.init_kwargs, special_tokens_in_strings=True)
        output = tokenizer(["[CLS] THE [MASK] FOX [SEP] [PAD]"])
        self.assertAllEqual(output, [[1, 5, 4, 8, 2, 3]])

    def test_errors_missing_special_tokens(self) -> None:
        """A vocabulary without them is refused."""
        with pytest.raises(ValueError, match="special token"):
            BertTokenizer(vocabulary=["a", "b", "c"])

    def test_embedded_preset(self) -> None:
        """The harness' test of presets, on the one that needs no network."""
        self.run_preset_test(
            cls=BertTokenizer,
            preset="minilm_l6_en_uncased",
            input_data=["The quick brown fox."],
            expected_output=[[1996, 4248, 2829, 4419, 1012]],
        )


class TestBertMaskedLMPreprocessor(TestCase):  # type: ignore[misc]
    """`BertMaskedLMPreprocessorTest`."""

    def setUp(self) -> None:
        """Mask every token that may be."""
        super().setUp()
        words = ["THE", "QUICK", "BROWN", "FOX", "the", "quick", "brown", "fox"]
        self.tokenizer = BertTokenizer(vocabulary=SPECIAL + words)
        self.init_kwargs = {
            "tokenizer": self.tokenizer,
            "mask_selection_rate": 1.0,
            "mask_token_rate": 1.0,
            "random_token_rate": 0.0,
            "mask_selection_length": 4,
            "sequence_length": 12,
        }
        self.input_data = ["the quick brown fox"]

    def test_preprocessor_basics(self) -> None:
        """Serialisation, direct calls, `tf.data`, Grain and another length."""
        self.run_preprocessor_test(
            cls=BertMaskedLMPreprocessor,
            init_kwargs=self.init_kwargs,
            input_data=self.input_data,
            expected_output=(
                {
                    "token_ids": [[1, 4, 4, 4, 4, 2, 3, 3, 3, 3, 3, 3]],
                    "segment_ids": [[0] * 12],
                    "padding_mask": [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]],
                    "mask_positions": [[1, 2, 3, 4]],
                },
                [[9, 10, 11, 12]],
                [[1.0, 1.0, 1.0, 1.0]],
            ),
        )

    def test_no_masking_zero_rate(self) -> None:
        """Nothing is masked."""
        preprocessor = BertMaskedLMPreprocessor(
            self.tokenizer, mask_selection_rate=0.0, mask_selection_length=4, sequence_length=12
        )
        self.assertAllClose(
            preprocessor(self.input_data),
            (
                {
                    "token_ids": [[1, 9, 10, 11, 12, 2, 3, 3, 3, 3, 3, 3]],
                    "segment_ids": [[0] * 12],
                    "padding_mask": [[1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]],
                    "mask_positions": [[0, 0, 0, 0]],
                },
                [[0, 0, 0, 0]],
                [[0.0, 0.0, 0.0, 0.0]],
            ),
        )

    def test_embedded_preset(self) -> None:
        """The harness' test of presets, on the one that needs no network."""
        self.run_preset_test(
            cls=BertMaskedLMPreprocessor,
            preset="minilm_l6_en_uncased",
            input_data=["The quick brown fox."],
        )


class TestBertBackbone(TestCase):  # type: ignore[misc]
    """`BertBackboneTest`."""

    def setUp(self) -> None:
        """Make a batch for a small encoder."""
        super().setUp()
        self.init_kwargs = {
            "vocabulary_size": 10,
            "num_layers": 2,
            "num_heads": 2,
            "hidden_dim": 2,
            "intermediate_dim": 4,
            "max_sequence_length": 5,
        }
        self.input_data = {
            "token_ids": keras.ops.ones((2, 5), dtype="int32"),
            "segment_ids": keras.ops.zeros((2, 5), dtype="int32"),
            "padding_mask": keras.ops.ones((2, 5), dtype="int32"),
        }

    def test_backbone_basics(self) -> None:
        """Serialisation, shapes, precisions, quantized layers, variable lengths."""
        self.run_backbone_test(
            cls=BertBackbone,
            init_kwargs=self.init_kwargs,
            input_data=self.input_data,
            expected_output_shape={"sequence_output": (2, 5, 2), "pooled_output": (2, 2)},
        )

    def test_saved_model(self) -> None:
        """A `.keras` file."""
        self.run_model_saving_test(
            cls=BertBackbone, init_kwargs=self.init_kwargs, input_data=self.input_data
        )

    def test_embedded_preset(self) -> None:
        """The harness' test of presets, on the one that needs no network."""
        self.run_preset_test(
            cls=BertBackbone,
            preset="minilm_l6_en_uncased",
            input_data=self.input_data,
            expected_output_shape={"sequence_output": (2, 5, 384)},
        )


class TestBertMaskedLM(TestCase):  # type: ignore[misc]
    """`BertMaskedLMTest`."""

    def setUp(self) -> None:
        """Make a small model that masks every token that may be."""
        super().setUp()
        self.preprocessor = BertMaskedLMPreprocessor(
            BertTokenizer(vocabulary=[*SPECIAL, "the", "quick", "brown", "fox", "."]),
            mask_selection_rate=1.0,
            mask_token_rate=1.0,
            random_token_rate=0.0,
            mask_selection_length=5,
            sequence_length=5,
        )
        self.backbone = BertBackbone(
            vocabulary_size=self.preprocessor.tokenizer.vocabulary_size(),
            num_layers=2,
            num_heads=2,
            hidden_dim=2,
            intermediate_dim=4,
            max_sequence_length=self.preprocessor.sequence_length,
        )
        self.init_kwargs = {"preprocessor": self.preprocessor, "backbone": self.backbone}
        self.train_data = (["the quick brown fox.", "the slow brown fox."],)
        self.input_data = self.preprocessor(*self.train_data)[0]

    def test_masked_lm_basics(self) -> None:
        """Serialisation, `predict` and `fit` on texts, datasets and split preprocessing."""
        self.run_task_test(
            cls=BertMaskedLM,
            init_kwargs=self.init_kwargs,
            train_data=self.train_data,
            expected_output_shape=(2, 5, 10),
        )

    def test_saved_model(self) -> None:
        """A `.keras` file."""
        self.run_model_saving_test(
            cls=BertMaskedLM, init_kwargs=self.init_kwargs, input_data=self.input_data
        )

    def test_embedded_preset(self) -> None:
        """The harness' test of presets, on the one that needs no network."""
        self.run_preset_test(
            cls=BertMaskedLM,
            preset="minilm_l6_en_uncased",
            input_data={
                "token_ids": np.array([[101, 1996, 103, 102]]),
                "segment_ids": np.zeros((1, 4), "int32"),
                "padding_mask": np.ones((1, 4), "int32"),
                "mask_positions": np.array([[2]]),
            },
            expected_output_shape=(1, 1, 30522),
        )
