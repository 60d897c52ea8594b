"""A conversion says much in few operations, and that a disk is full, or fills meanwhile."""

from collections import Counter, namedtuple
from pathlib import Path

import numpy as np
import openvino
import pytest
from openvino import opset13

from family_checkpoints import read_case
from model_store.checkpoints import read_checkpoint
from model_store.engines.openvino_conversion.conversion import ScoringModel, convert, write_graph
from model_store.engines.openvino_conversion.fusions import fuse
from model_store.errors import ModelLoadError
from model_store.masked_lm.families import MaskedLM

MB = 1_000_000


def let_disk_have(monkeypatch: pytest.MonkeyPatch, *free: int) -> None:
    """Let the disk have so many bytes, each time that it is asked."""
    Usage = namedtuple("Usage", "free")  # noqa: PYI024  # as shutil's
    answers = iter(free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(next(answers)))


def fail_to_write(*_: object, **__: object) -> None:
    """Fail as OpenVINO does."""
    message = "basic_ios::clear: iostream error"
    raise RuntimeError(message)


def graph_of(directory: Path) -> openvino.Model:
    """Return what was converted."""
    return openvino.Core().read_model(directory / "model.xml")


def count(graph: openvino.Model) -> Counter[str]:
    """Return how many operations there are of each kind."""
    return Counter(operation.get_type_name() for operation in graph.get_ops())


def test_what_openvino_has_a_kernel_for_is_one_operation(
    tiny_preset_dir: Path, tmp_path: Path
) -> None:
    """Each step of its own would be a pass over all activations."""
    convert(tiny_preset_dir, tmp_path)
    kinds = count(graph_of(tmp_path))
    layers = read_checkpoint(tiny_preset_dir).config.num_layers
    # After the embeddings, twice a layer, and in the head; an activation a layer, and the head's.
    assert (kinds["MVN"], kinds["Gelu"]) == (2 * layers + 2, layers + 1)
    assert kinds["Erf"] == kinds["SquaredDifference"] == 0
    assert sorted(path.name for path in tmp_path.glob("*.[xb]*")) == ["model.bin", "model.xml"]


@pytest.mark.parametrize("name", ["modernbert", "esm"])
def test_rotation_is_one_operation_of_openvino(name: str, tmp_path: Path) -> None:
    """It finds it by how it is spelled; so nothing but the compiled model can tell."""
    model = MaskedLM.from_checkpoint(read_case(name, tmp_path / name), dtype="float32")
    write_graph(model, tmp_path)
    compiled = openvino.Core().compile_model(tmp_path / "model.xml", "CPU")
    run = [
        each.get_rt_info()["layerType"].astype(str)
        for each in compiled.get_runtime_model().get_ops()
    ]
    # Queries and keys of each layer; the last layer's queries are of the masks alone.
    assert run.count("RoPE") == 2 * model.backbone.num_layers
    # A gate and what it multiplies are products of their own.
    assert "Split" not in run


@pytest.mark.parametrize(("half", "root"), [(0.5, -0.5), (0.25, -(0.5**0.5))])
def test_what_only_looks_like_it_is_left_alone(half: float, root: float) -> None:
    """Its answers would be others."""
    x = opset13.parameter([-1, 4], np.float32)
    erf = opset13.erf(opset13.multiply(x, opset13.constant(np.float32(root))))
    wide = opset13.subtract(opset13.constant(np.float32(1)), erf)
    scaled = opset13.multiply(opset13.constant(np.float32(half)), x)
    graph = openvino.Model([opset13.multiply(scaled, wide)], [x])
    fuse(graph)
    assert count(graph)["Erf"] == 1


def test_full_disk_is_said_before_anything_is_written(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is needed, what is there, and what to do."""
    let_disk_have(monkeypatch, 0)
    with pytest.raises(ModelLoadError, match=rf"needs 1 MB and {tmp_path.parent} has 0; make room"):
        convert(tiny_preset_dir, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_disk_that_fills_meanwhile_is_said_too(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may take the room: the error of the runtime does not tell."""
    monkeypatch.setattr(ScoringModel, "export", fail_to_write)
    let_disk_have(monkeypatch, MB, 0)
    with pytest.raises(ModelLoadError, match="has 0; make room"):
        convert(tiny_preset_dir, tmp_path)


def test_error_with_room_left_is_passed_on(
    tiny_preset_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not every failure is the disk's."""
    monkeypatch.setattr(ScoringModel, "export", fail_to_write)
    let_disk_have(monkeypatch, MB, MB)
    with pytest.raises(RuntimeError, match="basic_ios"):
        convert(tiny_preset_dir, tmp_path)
