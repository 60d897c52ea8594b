"""How a preset stands, as every interface and process tells it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

EXAMPLE: dict[str, Any] = {
    "name": "minilm_l6_en_uncased",
    "description": "MiniLM, 6 layers, English, uncased.",
    "parameters": 22_745_402,
    "family": "bert",
    "source": "embedded",
    "state": "ready",
    "pinned": False,
    "head": "verified",
    "head_proof": {
        "text": "The capital of France is Paris.",
        "log_probability": -2.2,
        "uniform": -10.3,
        "shuffled": -12.7,
    },
    "engine": "openvino",
    "precision": "float32",
    "agreement": 1.0,
    "candidates": [],
    "bytes": 90_981_608,
    "error": None,
}
"""How the preset that ships with the package stands once it is loaded."""


class HeadProofInfo(BaseModel):
    """What a probe of the head found; mean log-probabilities of held-back tokens, in nats."""

    model_config = ConfigDict(from_attributes=True)

    text: str = Field(description="The text that the model knew best.")
    log_probability: float = Field(description="What the model gave the tokens.")
    uniform: float = Field(description="What every entry of the vocabulary would get alike.")
    shuffled: float = Field(description="What the model gave as many random entries.")


class CandidateInfo(BaseModel):
    """What one precision gave when they were measured against each other."""

    model_config = ConfigDict(from_attributes=True)

    precision: str = Field(description="The one that was computed in.")
    agreement: float = Field(
        description="The share of masks whose first prediction is float32's, near ties included."
    )
    largest_difference: float = Field(
        description="The most that a probability of float32's five likeliest moved."
    )
    mean_difference: float = Field(
        description="The mean over all masks of the most that one of these moved."
    )
    tokens_per_second: float = Field(description="Of the batches that suit it best.")
    speedup: float = Field(
        description="How many times as fast as float32, on such batches and on a lone text."
    )


class PresetInfo(BaseModel):
    """A preset and how it stands."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    name: str
    description: str
    parameters: int | None = Field(description="How many weights; null where not known yet.")
    family: str | None = Field(
        description="What it is of, as Transformers' `model_type` names it; null if not known yet."
    )
    source: str = Field(description="`embedded`, `directory`, or the handle of its files.")
    state: Literal["available", "downloading", "loading", "ready", "failed"]
    pinned: bool = Field(description="Whether it never makes room for others.")
    head: Literal["verified", "missing", "unproven"] = Field(
        description="Whether its masked-LM head is known to work."
    )
    head_proof: HeadProofInfo | None = Field(
        description="What a probe of the head found; null where its files were never probed."
    )
    engine: str | None = Field(description="What runs it; null unless ready.")
    precision: str | None = Field(description="In what precision; null unless ready.")
    agreement: float | None = Field(
        description="Its share of first predictions that are float32's; null if not measured."
    )
    candidates: list[CandidateInfo] = Field(
        [], description="What each precision gave that was tried; empty if none was."
    )
    bytes: int | None = Field(description="The memory of its weights; null unless ready.")
    notice: str | None = Field(
        None,
        description="What it has to do without on this machine; null where nothing is missing.",
    )
    error: str | None = Field(
        description="Why it cannot be used, or not be loaded anew; null where nothing is known."
    )
