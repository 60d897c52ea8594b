"""Every family as people have it: its files, its names of tensors, and odd fields of its config."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file

from family_cases import make_tensors, write_family_dir
from family_checkpoints import list_readable, read_case, read_golden, write_case
from golden.tokenizer_cases import CASES as TOKENIZER_CASES
from model_store.checkpoints import (
    is_keras_family,
    read_family,
    read_tokenizer,
    write_keras_model,
    write_transformers_dir,
)
from model_store.checkpoints.completeness import require_variables
from model_store.checkpoints.files import read_json
from model_store.checkpoints.transformers.directory import read_transformers_model
from model_store.checkpoints.transformers.families import FAMILIES, find_family
from model_store.encoder.config import EncoderConfig
from model_store.errors import HeadMissingError, ModelLoadError
from random_checkpoints import fill_checkpoint

CASES = list_readable()
CONFIG = EncoderConfig(600, 2, 2, 8, 12, max_sequence_length=16)
OTHERS = [family.name for family in FAMILIES if family.name != "bert"]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_is_read(name: str, dtype: Any, tmp_path: Path) -> None:
    """Every number as it is stored."""
    golden = read_golden()[name]
    halved = {
        tensor: value if tensor.endswith("inv_freq") else value.astype(dtype)
        for tensor, value in make_tensors(golden["tensors"]).items()
    }
    _, variables = read_transformers_model(write_family_dir(tmp_path, golden["config"], halved))
    assert {array.dtype for array in variables.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("name", CASES)
def test_without_a_part_of_its_head_a_model_is_refused(name: str, tmp_path: Path) -> None:
    """Transformers would make the part up."""
    checkpoint = read_case(name, tmp_path)
    for path in [path for path in checkpoint.variables if path.startswith("masked_lm_head/")]:
        rest = {other: array for other, array in checkpoint.variables.items() if other != path}
        with pytest.raises(HeadMissingError, match=path):
            require_variables(checkpoint.config, rest)


SKIPPED = dict.fromkeys(
    ("roberta.embeddings.position_embeddings.weight", "esm.embeddings.position_embeddings.weight"),
    5,
)
"""Rows of the tables of positions that come before the first, at the most."""


def modernize(name: str) -> str:
    """Return the name of a tensor of LayerNorm as it is written today."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


@pytest.mark.parametrize("name", CASES)
def test_a_model_is_written_as_transformers_names_it(name: str, tmp_path: Path) -> None:
    """And read again as it was: its config, and every number."""
    checkpoint = read_case(name, tmp_path / "usual")
    write_transformers_dir(checkpoint, tmp_path / "written")
    config, variables = read_transformers_model(tmp_path / "written")
    assert config == checkpoint.config
    assert variables.keys() == checkpoint.variables.keys()
    for path, array in checkpoint.variables.items():
        np.testing.assert_array_equal(variables[path], array, path)
    written = load_file(tmp_path / "written" / "model.safetensors")
    theirs = {
        modernize(tensor): array
        for tensor, array in make_tensors(read_golden()[name]["tensors"]).items()
    }
    assert written.keys() <= theirs.keys()
    rest = theirs.keys() - written.keys()
    assert not [tensor for tensor in rest if not tensor.startswith(("esm.contact", "esm.encoder."))]
    for tensor in written.keys() - {"lm_head.bias"}:  # Transformers does not use it beside another
        shared = min(len(theirs[tensor]), len(written[tensor])) - SKIPPED.get(tensor, 0)
        np.testing.assert_array_equal(written[tensor][-shared:], theirs[tensor][-shared:], tensor)


def test_a_roberta_with_sentencepiece_is_named_xlm_roberta(tmp_path: Path) -> None:
    """For Transformers' own classes to be found by it."""
    for case in TOKENIZER_CASES:
        if case.family not in {"roberta", "xlm-roberta", "camembert"}:
            continue
        tokenizer = read_tokenizer(case.write(tmp_path / case.name))
        config = replace(CONFIG, family="roberta", vocabulary_size=tokenizer.vocabulary_size)
        write_transformers_dir(fill_checkpoint(config, tokenizer), tmp_path / f"{case.name} again")
        written = read_json(tmp_path / f"{case.name} again" / "config.json")
        is_piece = case.family != "roberta"
        assert written["model_type"] == ("xlm-roberta" if is_piece else "roberta")
        assert written["architectures"] == [f"{'XLM' * is_piece}RobertaForMaskedLM"]
        assert read_family(tmp_path / f"{case.name} again") == "roberta"


@pytest.mark.parametrize("name", OTHERS)
def test_what_transformers_cannot_say_is_refused(name: str, tmp_path: Path) -> None:
    """It would compute something else; nothing is left behind."""
    checkpoint = read_case(name, tmp_path / "usual")
    config = replace(checkpoint.config, norm_first=not checkpoint.config.norm_first)
    with pytest.raises(ValueError, match="in Transformers has no norm_first as this model has"):
        write_transformers_dir(replace(checkpoint, config=config), tmp_path / "written")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("name", OTHERS)
def test_a_head_unlike_its_encoder_is_said(name: str, tmp_path: Path) -> None:
    """Where no field of the family's does."""
    checkpoint = read_case(name, tmp_path / "usual")
    config = replace(checkpoint.config, head_hidden_act="tanh", head_layer_norm_epsilon=0.25)
    write_transformers_dir(replace(checkpoint, config=config), tmp_path / "written")
    assert read_transformers_model(tmp_path / "written")[0] == config


def test_a_model_without_segments_gets_one_of_zeros(tmp_path: Path) -> None:
    """RoBERTa has one always in Transformers, and none in KerasHub."""
    checkpoint = read_case("roberta", tmp_path / "usual")
    config = replace(checkpoint.config, num_segments=0)
    write_transformers_dir(replace(checkpoint, config=config), tmp_path / "written")
    config, variables = read_transformers_model(tmp_path / "written")
    assert config.num_segments == 1
    assert not variables["segment_embedding/embeddings"].any()


@pytest.mark.parametrize("name", [name for name in OTHERS if not is_keras_family(name)])
def test_keras_hubs_format_is_not_written(name: str, tmp_path: Path) -> None:
    """In a sentence that says what to do."""
    checkpoint = read_case(name, tmp_path / "usual")
    with pytest.raises(ValueError, match=r"KerasHub has no masked LM of .*; save the masked LM"):
        write_keras_model(checkpoint.config, checkpoint.variables, tmp_path / "keras")


ODD_FIELDS = [
    *((name, {"is_decoder": True}, "a decoder") for name in OTHERS),
    *((name, {"auto_map": {"AutoModel": "own.Own"}}, "code of its own") for name in OTHERS),
    *((name, {"quantization_config": {"bits": 4}}, "quantised") for name in OTHERS),
    ("distilbert", {"n_layers": 0}, "num_layers is 0"),
    ("distilbert", {"activation": "prelu"}, "the activation 'prelu'"),
    ("electra", {"embedding_size": "wide"}, "embedding_size is 'wide'"),
    ("electra", {"position_embedding_type": "relative_key"}, "a plain ELECTRA encoder"),
    ("roberta", {"pad_token_id": None}, "pad_token_id is None"),
    ("roberta", {"pad_token_id": 40}, "max_sequence_length is -1"),
    ("roberta", {"position_embedding_type": "relative_key"}, "a plain RoBERTa encoder"),
    ("albert", {"num_hidden_groups": 0}, "num_hidden_groups is 0"),
    ("albert", {"inner_group_num": 500}, "3 times 500 layers are more than 1000"),
    ("albert", {"embedding_size": None}, "embedding_size is None"),
    ("modernbert", {"layer_types": ["sliding_attention"]}, "layer_types do not say of 4 layers"),
    ("modernbert", {"layer_types": None, "global_attn_every_n_layers": 0}, "every_n_layers is 0"),
    ("modernbert", {"local_attention": -2}, "local_attention is -2"),
    ("modernbert", {"rope_scaling": {"rope_type": "yarn"}}, "scaled rotary positions"),
    ("modernbert", {"attention_bias": "no"}, "attention_bias is 'no'"),
    ("modernbert", {"num_attention_heads": 8}, "heads are 3 wide, and rotate in pairs"),
    ("esm", {"is_folding_model": True}, "ESMFold"),
    ("esm", {"position_embedding_type": "relative_key"}, "relative positions"),
    ("esm", {"mask_token_id": None}, "mask_token_id is None"),
    ("esm", {"rope_theta": 500.0}, "another rotation"),
    ("esm", {"rope_theta": None}, "rope_theta is None"),
    ("modernbert", {"num_hidden_layers": 10**9, "layer_types": None}, "the most is 1000"),
    ("albert", {"num_hidden_layers": 10**9}, "more than 1000|the most is 1000"),
]


@pytest.mark.parametrize(
    ("name", "fields", "sentence"), [row for row in ODD_FIELDS if row[0] in OTHERS]
)
def test_odd_field_is_refused_by_name(
    name: str, fields: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    """With what is wrong with it."""
    with pytest.raises(ModelLoadError, match=sentence):
        read_transformers_model(write_case(name, tmp_path, **fields))


@pytest.mark.parametrize(
    "raw", [{"model_type": "gpt2"}, {"model_type": ["bert"]}, {"architectures": ["GPT2Model"]}]
)
def test_unknown_family_is_refused_with_those_that_are_known(raw: dict[str, Any]) -> None:
    """By its name."""
    with pytest.raises(ModelLoadError, match=r"use one of .*bert, .*distilbert, electra"):
        find_family(raw)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("DistilBertForMaskedLM", "distilbert"),
        ("ElectraModel", "electra"),
        ("BertModel", "bert"),
        ("RobertaForMaskedLM", "roberta"),
    ],
)
def test_class_tells_the_family_where_no_type_does(name: str, family: str) -> None:
    """As configs of 2019 have it."""
    assert find_family({"architectures": [name]}).name == family
