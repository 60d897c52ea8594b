"""Low-rank adaptation (Hu et al., 2021), with KerasHub's names: few weights learn, most stay."""

from pathlib import Path
from typing import Any

import h5py
import keras

_SUFFIX = ".lora.h5"


class LoraModel(keras.Model):  # type: ignore[misc]  # keras ships no types
    """A model whose attention can be adapted."""

    _lora_rank: int | None = None

    def default_lora_layer_names(self) -> list[str]:
        """Return the names of the layers that `enable_lora` adapts where none are given."""
        return ["query", "value"]

    def enable_lora(self, rank: int, target_layer_names: list[str] | None = None) -> None:
        """Freeze the model, and give a few layers two small matrices that learn in their place.

        Args:
            rank: the inner width of the two matrices.
            target_layer_names: the names of the layers; None means those of attention.

        Raises:
            ValueError: no layer has such a name, or a layer is adapted already.
        """
        names = set(
            self.default_lora_layer_names() if target_layer_names is None else target_layer_names
        )
        layers = [
            layer for layer in self._flatten_layers(include_self=False) if layer.name in names
        ]
        layers = [layer for layer in layers if hasattr(layer, "enable_lora")]
        if not layers:
            message = f"No layer is named {' or '.join(sorted(names))}; give names of dense layers."
            raise ValueError(message)
        self.trainable = True
        for layer in self._flatten_layers(include_self=False):
            layer.trainable = False
        for layer in layers:
            layer.trainable = True
            layer.enable_lora(rank)
        self._lora_rank = rank

    def save_lora_weights(self, filepath: str | Path) -> None:
        """Write the small matrices alone, by the path of their layer.

        Raises:
            ValueError: nothing is adapted, or the name does not end in `.lora.h5`.
        """
        _require_suffix(filepath)
        adapted = self._list_adapted()
        if not adapted:
            message = "No layer is adapted; call enable_lora(rank) first."
            raise ValueError(message)
        with h5py.File(filepath, "w") as file:
            file["lora/rank"] = self._lora_rank
            for path, layer in adapted.items():
                for part, variable in _list_parts(layer).items():
                    file[f"lora/{path}/{part}"] = keras.ops.convert_to_numpy(variable)

    def load_lora_weights(self, filepath: str | Path) -> None:
        """Read what `save_lora_weights` wrote; a model that is not adapted yet is.

        Raises:
            ValueError: the file is of another rank, or of other layers.
        """
        _require_suffix(filepath)
        with h5py.File(filepath, "r") as file:
            rank = int(file["lora/rank"][()])
            if self._lora_rank is None:
                self.enable_lora(rank)
            if self._lora_rank != rank:
                message = (
                    f"The file has rank {rank} and the model {self._lora_rank}; give one of both."
                )
                raise ValueError(message)
            for path, layer in self._list_adapted().items():
                if f"lora/{path}" not in file:
                    message = (
                        f"The file holds nothing for {path}; adapt the layers that it was saved of."
                    )
                    raise ValueError(message)
                for part, variable in _list_parts(layer).items():
                    variable.assign(file[f"lora/{path}/{part}"][()])

    def _list_adapted(self) -> dict[str, Any]:
        return {
            layer.path: layer
            for layer in self._flatten_layers(include_self=False)
            if getattr(layer, "lora_enabled", False)
        }


def _list_parts(layer: Any) -> dict[str, Any]:
    """Return the two matrices of an adapted layer."""
    kind = "kernel" if hasattr(layer, "lora_kernel_a") else "embeddings"
    return {part: getattr(layer, f"lora_{kind}_{part}") for part in ("a", "b")}


def merge(layer: Any) -> tuple[Any, Any]:
    """Return the adapted variable of a layer, and what it is with the two matrices in it."""
    variable = layer._kernel if hasattr(layer, "lora_kernel_a") else layer._embeddings  # noqa: SLF001
    first, second = (keras.ops.convert_to_numpy(part) for part in _list_parts(layer).values())
    stored = keras.ops.convert_to_numpy(variable.value)
    return variable, stored + (layer.lora_alpha / layer.lora_rank) * (first @ second)


def _require_suffix(filepath: str | Path) -> None:
    if not str(filepath).endswith(_SUFFIX):
        message = f"{filepath} does not end in {_SUFFIX}; choose a name that does."
        raise ValueError(message)
