"""The wire models that several routes share, and those of the routes beside filling masks."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from service.models.preset_info import EXAMPLE, PresetInfo


def _require_characters(text: str) -> str:
    """Refuse what JSON can write and no tokenizer can read: half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = "a lone surrogate is no character"
        raise ValueError(message) from error
    return text


Text = Annotated[str, AfterValidator(_require_characters)]
Targets = Annotated[list[Text], Field(min_length=1)]


class LoadRequest(BaseModel):
    """How to load a preset."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"reload": True}]}
    )

    reload: bool = Field(
        default=False,
        description=(
            "Whether its files are read anew. The model that is loaded answers meanwhile, and "
            "stays if that fails."
        ),
    )
    pin: bool | None = Field(
        None, description="Whether it never makes room for others; as it is if left out."
    )


class PresetList(BaseModel):
    """All presets."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"default": EXAMPLE["name"], "presets": [EXAMPLE]}]}
    )

    default: str
    presets: list[PresetInfo]


class LimitsInfo(BaseModel):
    """How much one request may ask for; the settings say the same under these names."""

    model_config = ConfigDict(from_attributes=True)

    max_header_bytes: int = Field(description="In its address and headers.")
    max_header_fields: int = Field(description="How many headers.")
    max_body_bytes: int = Field(description="In its body.")
    max_pending_lines: int = Field(description="Of a body of lines, read and not answered yet.")
    max_inputs: int = Field(description="How many texts.")
    max_characters: int = Field(description="In one text.")
    max_masks: int = Field(description="In one text.")
    max_top_k: int = Field(description="How many predictions for one mask.")
    max_targets: int = Field(description="For one text.")
    max_predictions: int = Field(description="In one answer, over all texts and masks.")
    max_answer_characters: int = Field(description="Of text, in one answer.")
    max_beam_width: int = Field(description="How many fillings of one text are followed.")
    max_rows: int = Field(description="Rows for the engine that one request becomes.")
    max_sparse_values: int = Field(description="Values of all sparse vectors in one answer.")
    max_listed_tokens: int = Field(description="In one answer of `/tokenize`.")
    max_queue_size: int = Field(description="How many texts wait for one model.")
    max_queue_tokens: int = Field(description="How many tokens wait for one model.")
    request_timeout_s: float = Field(description="Seconds until it is given up.")


class ServerInfo(BaseModel):
    """What this server is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "version": "0.1.0",
                    "default": "minilm_l6_en_uncased",
                    "loaded": ["minilm_l6_en_uncased"],
                    "limits": {
                        "max_header_bytes": 32768,
                        "max_header_fields": 100,
                        "max_body_bytes": 1048576,
                        "max_pending_lines": 256,
                        "max_inputs": 256,
                        "max_characters": 100000,
                        "max_masks": 64,
                        "max_top_k": 100,
                        "max_targets": 1000,
                        "max_predictions": 10000,
                        "max_answer_characters": 33554432,
                        "max_beam_width": 32,
                        "max_rows": 1024,
                        "max_sparse_values": 100000,
                        "max_listed_tokens": 100000,
                        "max_queue_size": 1024,
                        "max_queue_tokens": 262144,
                        "request_timeout_s": 60.0,
                    },
                }
            ]
        }
    )

    version: str = Field(description="Of fillmask.")
    default: str = Field(description="The preset of requests that name none.")
    loaded: list[str] = Field(description="The presets in memory.")
    limits: LimitsInfo


class ProbeAnswer(BaseModel):
    """The answer of a probe that went well."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok", "ready"]


def _leave_out(schema: dict[str, Any]) -> None:
    """Say of a field that it is left out where it has nothing to say, and never null."""
    del schema["default"]


class ErrorResponse(BaseModel):
    """Every error of every route."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "error": "The text has no [MASK]; write it where a word is missing.",
                    "code": "mask_not_found",
                    "input": 0,
                },
                {
                    "error": "This takes a key; send yours as `Authorization: Bearer KEY`.",
                    "code": "unauthorized",
                },
            ]
        }
    )

    error: str = Field(description="One sentence that says what to do.")
    code: str = Field(description="What went wrong, for programs.")
    input: int | SkipJsonSchema[None] = Field(
        None, description="The index of the input at fault.", json_schema_extra=_leave_out
    )
    line: int | SkipJsonSchema[None] = Field(
        None,
        description="The number of the line at fault, from 1 on.",
        json_schema_extra=_leave_out,
    )
