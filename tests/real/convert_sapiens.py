"""Turn the wheel `sapiens==1.0.4` (MIT) into Transformers directories with safetensors.

Sapiens (Prihoda et al., 2022) is a RoBERTa for human antibodies, one model for heavy chains and one
for light ones: 4 layers, 128 wide, one token an amino acid. Its wheel carries checkpoints of
fairseq, whose names are not Transformers'.

    pip download --no-deps sapiens==1.0.4
    python tests/real/convert_sapiens.py sapiens-1.0.4-py3-none-any.whl vh OUT

Residues are written without spaces: `EVQL[MASK]QS`.
"""

import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from model_store.checkpoints.torch.leash import make_array
from model_store.checkpoints.torch.legacy import read_torch_legacy

_MODELS = "sapiens/models/v1"
_OPTIONS, _DICTIONARY = b"cargparse\nNamespace\n", b"ccollections\nOrderedDict\n"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
"""fairseq puts these before the entries of `dict.txt`, and its masked LMs the mask behind them."""

_HEAVY = (
    "EVQLVQSGPEVKKPGTSVKVSCKASGFTFMSSAVQWVRQARGQRLEWIGWIVIGSGNTNYAQKFQERVTITRDMSTSTAYMELSSLRSEDTAVYY"
    "CAAPYCSSISCNDGFDIWGQGTMVTVS"
)
"""A heavy chain, of AntiBERTy's page: what proves heads has none."""

_EMBEDDINGS = "roberta.embeddings"
_NAMES = {
    r"decoder\.sentence_encoder\.embed_tokens\.": f"{_EMBEDDINGS}.word_embeddings.",
    r"decoder\.sentence_encoder\.embed_positions\.": f"{_EMBEDDINGS}.position_embeddings.",
    r"decoder\.sentence_encoder\.emb_layer_norm\.": f"{_EMBEDDINGS}.LayerNorm.",
    r"decoder\.sentence_encoder\.layers\.": "roberta.encoder.layer.",
    r"self_attn\.q_proj\.": "attention.self.query.",
    r"self_attn\.k_proj\.": "attention.self.key.",
    r"self_attn\.v_proj\.": "attention.self.value.",
    r"self_attn\.out_proj\.": "attention.output.dense.",
    r"self_attn_layer_norm\.": "attention.output.LayerNorm.",
    r"fc1\.": "intermediate.dense.",
    r"fc2\.": "output.dense.",
    r"final_layer_norm\.": "output.LayerNorm.",
    r"decoder\.lm_head\.": "lm_head.",
}


def convert(wheel: Path, chain: str, directory: Path) -> None:
    """Write what `RobertaForMaskedLM` needs.

    Args:
        wheel: the package.
        chain: `vh` for heavy chains, `vl` for light ones.
        directory: where to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        state = _read_state(archive.read(f"{_MODELS}/checkpoint_{chain}.pt"))
        lines = archive.read(f"{_MODELS}/dict.txt").decode().splitlines()
    tensors = {_rename(name): tensor for name, tensor in state.items()}
    # The token embeddings, once more.
    del tensors["lm_head.weight"]
    # fairseq has no segments, Transformers one.
    width = tensors["lm_head.dense.bias"].shape
    tensors[f"{_EMBEDDINGS}.token_type_embeddings.weight"] = np.zeros((1, *width), np.float32)
    save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
    entries = [*_SPECIAL, *(line.split()[0] for line in lines), "<mask>"]
    (directory / "vocab.txt").write_text("\n".join(entries) + "\n", "utf-8")
    if chain == "vh":
        (directory / "probe.txt").write_text(_HEAVY + "\n", "utf-8")
    _write_json(directory / "config.json", _describe(tensors, len(entries)))
    # RoBERTa's own is of bytes. This one is of letters, with RoBERTa's special tokens.
    _write_json(
        directory / "tokenizer_config.json",
        {
            "tokenizer_class": "EsmTokenizer",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
    )


def _read_state(content: bytes) -> dict[str, Any]:
    """Return the tensors of fairseq's file, read as data.

    Beside them it has the options of the training, an object of argparse, which no file may make
    here. A dictionary takes its place: the file has no lengths that this would break.
    """
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "checkpoint.pt"
        path.write_bytes(content.replace(_OPTIONS, _DICTIONARY))
        stored, values = read_torch_legacy(path)
    return {
        name: make_array(tensor, values[tensor.storage.key])
        for name, tensor in stored["model"].items()
    }


def _rename(name: str) -> str:
    for theirs, ours in _NAMES.items():
        name = re.sub(rf"(^|(?<=\.)){theirs}", ours, name)
    return name


def _describe(tensors: Mapping[str, Any], entries: int) -> dict[str, Any]:
    positions, width = tensors[f"{_EMBEDDINGS}.position_embeddings.weight"].shape
    return {
        "architectures": ["RobertaForMaskedLM"],
        "model_type": "roberta",
        "vocab_size": entries,
        "hidden_size": width,
        "num_hidden_layers": 4,
        "num_attention_heads": 8,
        "intermediate_size": tensors["roberta.encoder.layer.0.intermediate.dense.bias"].shape[0],
        "max_position_embeddings": positions,
        "type_vocab_size": 1,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "bos_token_id": 0,
        "pad_token_id": 1,
        "eos_token_id": 2,
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2), "utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
