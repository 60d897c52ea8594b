"""The settings: one environment variable each."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    FilePath,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from model_store.engines import EngineName, EngineOptions, Precision
from model_store.fetching.resolver import DEFAULT_DIRECTORY
from model_store.loading.converted_models import DEFAULT_CACHE
from service.settings.values import LISTED, Network, Origin, PathPrefix

_GIB = 1024**3
_MIB = 1024**2


class Settings(BaseSettings):
    """Settings of one server; each is an environment variable with the prefix `FILLMASK_`."""

    model_config = SettingsConfigDict(env_prefix="FILLMASK_", frozen=True)

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="The port to listen on; 0 takes a free one."
    )
    grpc_port: Annotated[int, Field(ge=1, le=65535)] | None = Field(
        None, description="The port to listen on for gRPC; without one, there is none."
    )
    root_path: PathPrefix = Field(
        "", description="The prefix under which a proxy offers the service: `/fillmask`."
    )
    trusted_proxies: Annotated[tuple[Network, ...], *LISTED] = Field(
        (),
        description=(
            "The addresses and networks, comma-separated, of proxies that are believed who called "
            "them, and how."
        ),
    )
    access_log: bool = Field(
        default=False,
        description="Whether every request is logged; it takes a tenth of a millisecond.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto",
        description=(
            "How the log is written: `json`, an object a line, `console`, for people, or `auto`: "
            "`console` on a terminal, `json` elsewhere."
        ),
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        description=(
            "What is logged: `debug`, `info`, `warning`, `error`. `debug` shows the messages of "
            "errors too, which may quote callers."
        ),
    )
    tracing: bool = Field(
        default=False,
        description="Whether spans of requests are sent where the variables `OTEL_*` say.",
    )
    cors_origins: Annotated[tuple[Origin, ...], *LISTED] = Field(
        (), description="The origins, comma-separated, whose pages may call; `*` is all."
    )
    workers: PositiveInt = Field(
        1,
        description=(
            "How many processes answer HTTP. Above 1, they stand in front of one more process, "
            "which runs the models."
        ),
    )
    api_keys: Annotated[tuple[SecretStr, ...], *LISTED] = Field(
        (), description="Keys that callers must show, separated by commas; none: open to all."
    )
    api_keys_file: FilePath | None = Field(
        None, description="A file of more such keys, one a line, read anew when it changes."
    )
    admin_keys: Annotated[tuple[SecretStr, ...], *LISTED] = Field(
        (), description="Keys for what changes the server; without one, nobody may."
    )
    admin_keys_file: FilePath | None = Field(
        None, description="A file of more admin keys, one a line, read anew when it changes."
    )
    open_probes: bool = Field(
        default=True, description="Whether `/healthz`, `/readyz` and `/metrics` need no key."
    )
    default_preset: str = Field(
        "minilm_l6_en_uncased", description="The preset of requests that name none."
    )
    preload: bool = Field(
        default=True, description="Whether the default preset is loaded at start."
    )
    presets: Annotated[tuple[str, ...] | None, *LISTED] = Field(
        None,
        description=(
            "The only presets that are listed, fetched and loaded, with commas between them; "
            "all if not given."
        ),
    )
    pinned_presets: Annotated[tuple[str, ...], *LISTED] = Field(
        (),
        description=(
            "Presets that are loaded at start and never make room for others, with commas between "
            "them."
        ),
    )
    model_store_dir: Path = Field(
        DEFAULT_DIRECTORY,
        description="A directory whose subdirectories are presets by their names.",
    )
    offline: bool = Field(
        default=False, description="Whether no file is fetched and no connection to a hub tried."
    )
    engine: EngineName = Field(
        "auto",
        description=(
            "What runs the models: `tensorflow`, `jax`, `torch`, `openvino`, or `auto`: "
            "Keras' backend where an accelerator is visible, else OpenVINO."
        ),
    )
    precision: Precision = Field(
        "auto",
        description=(
            "What is computed in: `float32`, `bfloat16`, `float16`, or `auto`: the fastest that "
            "answers like float32."
        ),
    )
    cache_dir: Path = Field(
        DEFAULT_CACHE, description="Where converted models are kept, so that starts are quick."
    )
    max_loaded_presets: PositiveInt = Field(4, description="How many models stay in memory.")
    max_loaded_bytes: PositiveInt = Field(
        8 * _GIB, description="How many bytes of weights stay in memory."
    )
    max_batch_size: PositiveInt = Field(256, description="The most texts in one batch.")
    max_batch_tokens: PositiveInt | None = Field(
        None,
        description=("The most tokens in one batch; measured for each model if not given."),
    )
    max_queue_size: PositiveInt = Field(
        1024, description="The most texts waiting for one model; more are refused with 429."
    )
    max_queue_tokens: PositiveInt = Field(
        262_144, description="The most tokens waiting for one model; more are refused with 429."
    )
    request_timeout_s: PositiveFloat = Field(
        60.0, description="Seconds until a request is given up, a first load included."
    )
    ready_timeout_s: PositiveFloat = Field(
        10.0, description="Seconds until `/readyz` finds that the engine is stuck."
    )
    engine_hang_timeout_s: PositiveFloat = Field(
        60.0,
        description=(
            "Seconds without a sign of life until an engine process is ended and another one "
            "started, with several workers."
        ),
    )
    shutdown_notice_s: NonNegativeFloat = Field(
        1.0,
        description=(
            "Seconds between SIGTERM and the end of listening: `/readyz` says no, and new work "
            "is refused with 503, so that a balancer can look elsewhere."
        ),
    )
    shutdown_timeout_s: PositiveFloat = Field(
        75.0, description="Seconds after SIGTERM until the process ends, whatever hangs."
    )
    max_connections: PositiveInt = Field(
        1000,
        description=(
            "How many connections one process keeps open; requests on more are refused with 429."
        ),
    )
    header_timeout_s: PositiveFloat = Field(
        10.0, description="Seconds until the head of a request must be complete."
    )
    keep_alive_timeout_s: NonNegativeFloat = Field(
        5.0, description="Seconds until a connection without a request is closed."
    )
    max_header_bytes: PositiveInt = Field(
        32_768, description="The largest head of a request: its address and headers."
    )
    max_header_fields: PositiveInt = Field(100, description="The most headers of one request.")
    max_body_bytes: PositiveInt = Field(_MIB, description="The largest request body, unpacked.")
    max_pending_lines: PositiveInt = Field(
        256, description="The most lines of one body that are read and not answered yet."
    )
    max_inputs: PositiveInt = Field(256, description="The most texts in one request.")
    max_characters: PositiveInt = Field(100_000, description="The most characters in one text.")
    max_masks: PositiveInt = Field(64, description="The most masks in one text.")
    max_top_k: PositiveInt = Field(100, description="The most predictions for one mask.")
    max_targets: PositiveInt = Field(1000, description="The most targets for one text.")
    max_predictions: PositiveInt = Field(
        10_000, description="The most predictions in one answer, over all texts and masks."
    )
    max_answer_characters: PositiveInt = Field(
        32 * _MIB,
        description=(
            "The most characters of text in one answer, each of whose predictions comes with the "
            "whole text."
        ),
    )
    max_beam_width: PositiveInt = Field(
        32, description="The most fillings of one text that are followed at a time."
    )
    max_rows: PositiveInt = Field(
        1024, description="The most rows for the engine that one request may become."
    )
    max_sparse_values: PositiveInt = Field(
        100_000, description="The most values in one answer, over all its sparse vectors."
    )
    max_listed_tokens: PositiveInt = Field(
        100_000, description="The most tokens in one answer of `/tokenize`."
    )

    @model_validator(mode="after")
    def _require_allowed(self) -> Self:
        asked_for = {
            "FILLMASK_DEFAULT_PRESET": (self.default_preset,),
            "FILLMASK_PINNED_PRESETS": self.pinned_presets,
        }
        for variable, names in asked_for.items():
            for name in names:
                if self.presets is not None and name not in self.presets:
                    message = (
                        f"{variable} names {name}, which FILLMASK_PRESETS leaves out; add it "
                        "there, or name another preset."
                    )
                    raise ValueError(message)
        return self

    @field_validator("tracing")
    @classmethod
    def _check_tracing(cls, tracing: bool) -> bool:  # noqa: FBT001  # pydantic's signature
        if tracing:
            try:
                version("opentelemetry-exporter-otlp-proto-http")
            except PackageNotFoundError:
                message = "OpenTelemetry is not installed; install requirements/otel.txt as well."
                raise ValueError(message) from None
        return tracing

    @property
    def configured_presets(self) -> tuple[str, ...]:
        """The presets that these settings name: they must work, whoever asks."""
        return (self.default_preset, *self.pinned_presets)

    @property
    def engine_options(self) -> EngineOptions:
        """What the model store is told of engines."""
        return EngineOptions(self.engine, self.precision, self.cache_dir)
