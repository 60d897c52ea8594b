"""AdamW with a warm-up, as BERT and its descendants are trained."""

import math
from typing import Any

import keras
from keras import ops

from model_store.masked_lm.training.options import TrainingOptions

_UNDECAYED = ("bias", "gamma", "beta")


class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # keras ships no types
    """Rises from 0 in a line, then falls to 0 at the last step in a line or a half cosine."""

    def __init__(self, learning_rate: float, warmup_steps: int, steps: int, schedule: str) -> None:
        """Take the options of `TrainingOptions`."""
        super().__init__()
        self._learning_rate = learning_rate
        self._warmup_steps = warmup_steps
        self._steps = steps
        self._schedule = schedule

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of the update after `step` updates."""
        step = ops.cast(step, "float32")
        warm = (step + 1.0) / self._warmup_steps
        left = max(1, self._steps - self._warmup_steps)
        gone = ops.clip((step + 1.0 - self._warmup_steps) / left, 0.0, 1.0)
        fall = 1.0 - gone if self._schedule == "linear" else 0.5 * (1.0 + ops.cos(math.pi * gone))
        return self._learning_rate * ops.minimum(warm, fall)

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor needs."""
        return {
            "learning_rate": self._learning_rate,
            "warmup_steps": self._warmup_steps,
            "steps": self._steps,
            "schedule": self._schedule,
        }


def make_optimizer(options: TrainingOptions) -> Any:
    """Return the optimizer of a training; biases and LayerNorm do not decay."""
    optimizer = keras.optimizers.AdamW(
        learning_rate=WarmupDecay(
            options.learning_rate, options.warmup_steps, options.steps, options.schedule
        ),
        weight_decay=options.weight_decay,
        beta_2=0.98,
        epsilon=1e-6,
        global_clipnorm=options.clip_norm,
    )
    optimizer.exclude_from_weight_decay(var_names=_UNDECAYED)
    return optimizer
