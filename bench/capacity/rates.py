"""The rates of one replica, kept as a file a kind of machine."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from bench.capacity.model import Replica
from bench.capacity.observations import Observations
from bench.capacity.service_times import Atoms, Mix, ServiceTimes
from bench.machine import name_kind
from service.scheduling.batch_records import BatchLimits

FOLDER = Path(__file__).parent / "rates"
_MOST_TEXTS = 256
_QUEUE = 4096


@dataclass(frozen=True, slots=True)
class Rates:
    """What is known of a replica.

    Attributes:
        about: the machine and the commit.
        times: how long its batches take.
        lengths: of the texts that it got, in tokens.
        most_tokens: what a batch may hold.
    """

    about: dict[str, str]
    times: ServiceTimes
    lengths: list[int]
    most_tokens: int

    @property
    def mix(self) -> Mix:
        """The lengths, as the model sees them."""
        return Mix(float(np.mean(self.lengths)), float(np.std(self.lengths)))

    @property
    def limits(self) -> BatchLimits:
        """The limits, as the scheduler sees them."""
        return BatchLimits(_MOST_TEXTS, self.most_tokens, _QUEUE)

    def replica(self, rate: float) -> Replica:
        """Return the model of one replica at so many requests a second."""
        most = min(_MOST_TEXTS, int(self.most_tokens / self.mix.mean))
        return Replica(self.times, self.mix, most, rate)

    @property
    def capacity(self) -> float:
        """The most requests a second."""
        return self.replica(1e-3).capacity


def write_rates(rates: Rates, folder: Path = FOLDER) -> Path:
    """Keep rates under the kind of this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name_kind()}.json"
    content = {
        "about": rates.about,
        "times": {
            field.name: _plain(getattr(rates.times, field.name)) for field in fields(ServiceTimes)
        },
        "lengths": sorted(rates.lengths),
        "most_tokens": rates.most_tokens,
    }
    file.write_text(json.dumps(content) + "\n", "utf-8")
    return file


def read_rates(file: Path) -> Rates:
    """Read what was kept."""
    content = json.loads(file.read_text("utf-8"))
    times = {
        name: Atoms(*map(np.array, value)) if isinstance(value, list) else value
        for name, value in content.pop("times").items()
    }
    return Rates(times=ServiceTimes(**times), **content)


def of_observations(observations: Observations, times: ServiceTimes, most_tokens: int) -> Rates:
    """Return the rates that were fitted."""
    return Rates(observations.about, times, observations.lengths, most_tokens)


def _plain(value: Any) -> Any:
    if not isinstance(value, Atoms):
        return float(f"{value:.6g}")
    return [[float(f"{number:.6g}") for number in part] for part in value]
