"""The settings: one environment variable each, checked at start."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings

LIMITS = [
    "max_connections",
    "max_header_bytes",
    "max_header_fields",
    "header_timeout_s",
    "workers",
    "max_loaded_presets",
    "max_loaded_bytes",
    "max_batch_size",
    "max_batch_tokens",
    "max_queue_size",
    "max_queue_tokens",
    "ready_timeout_s",
    "shutdown_timeout_s",
    "request_timeout_s",
    "max_body_bytes",
    "max_inputs",
    "max_characters",
    "max_masks",
    "max_top_k",
    "max_targets",
    "max_predictions",
    "max_answer_characters",
    "max_beam_width",
    "max_rows",
    "max_sparse_values",
    "max_listed_tokens",
    "max_pending_lines",
]


def test_server_needs_no_setting() -> None:
    """The defaults serve the preset that ships with the package, on this machine only."""
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.default_preset == "minilm_l6_en_uncased"


@pytest.mark.parametrize(
    ("variable", "value", "name", "expected"),
    [
        ("FILLMASK_HOST", "0.0.0.0", "host", "0.0.0.0"),  # noqa: S104  # nothing listens
        ("FILLMASK_PORT", "0", "port", 0),
        ("FILLMASK_PRELOAD", "false", "preload", False),
        ("FILLMASK_MODEL_STORE_DIR", "/presets", "model_store_dir", Path("/presets")),
        (
            "FILLMASK_PRESETS",
            "minilm_l6_en_uncased, tiny ,",
            "presets",
            ("minilm_l6_en_uncased", "tiny"),
        ),
        ("FILLMASK_PINNED_PRESETS", "a,b", "pinned_presets", ("a", "b")),
        ("FILLMASK_PINNED_PRESETS", "", "pinned_presets", ()),
        ("FILLMASK_REQUEST_TIMEOUT_S", "0.5", "request_timeout_s", 0.5),
    ],
)
def test_setting_is_an_environment_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, name: str, expected: object
) -> None:
    """The prefix and the name make the variable."""
    monkeypatch.setenv(variable, value)
    assert getattr(Settings(), name) == expected


def test_default_preset_outside_the_presets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names no preset would never be answered."""
    monkeypatch.setenv("FILLMASK_PRESETS", "tiny")
    with pytest.raises(ValidationError, match="FILLMASK_DEFAULT_PRESET names minilm_l6_en_uncased"):
        Settings()


def test_pinned_preset_outside_the_presets_is_refused() -> None:
    """It could never be loaded."""
    with pytest.raises(ValidationError, match="FILLMASK_PINNED_PRESETS names other, which"):
        Settings(presets="tiny", default_preset="tiny", pinned_presets=("tiny", "other"))


def test_empty_list_of_presets_allows_none() -> None:
    """A list that holds nothing is not one that was left out."""
    with pytest.raises(ValidationError, match="FILLMASK_PRESETS leaves out"):
        Settings(presets="")


def test_variable_without_the_prefix_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PORT` belongs to others."""
    monkeypatch.setenv("PORT", "1")
    assert Settings().port == 8000


@pytest.mark.parametrize("name", LIMITS)
def test_limit_of_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A server that may do nothing does not start."""
    monkeypatch.setenv(f"FILLMASK_{name.upper()}", "0")
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_is_named_here(name: str) -> None:
    """A limit that is renamed is renamed in its variable."""
    assert name in Settings.model_fields


def test_no_limit_is_forgotten_here() -> None:
    """A new limit is checked like the others."""
    assert {name for name in Settings.model_fields if "max_" in name} <= set(LIMITS)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_port_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    """A port is a number of sixteen bits."""
    monkeypatch.setenv("FILLMASK_PORT", port)
    with pytest.raises(ValidationError, match="port"):
        Settings()


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://a.example", ("https://a.example",)),
        (
            " https://a.example , http://localhost:3000,",
            ("https://a.example", "http://localhost:3000"),
        ),
    ],
)
def test_origins_are_separated_by_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, origins: tuple[str, ...]
) -> None:
    """As people write lists in environments."""
    monkeypatch.setenv("FILLMASK_CORS_ORIGINS", value)
    assert Settings().cors_origins == origins


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "https://a b", "null"])
def test_origin_that_no_browser_sends_is_refused(
    monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    """It would let nobody in, without a word."""
    monkeypatch.setenv("FILLMASK_CORS_ORIGINS", origin)
    with pytest.raises(ValidationError, match="is no origin; give scheme"):
        Settings()


@pytest.mark.parametrize(
    ("written", "prefix"), [("/fillmask", "/fillmask"), ("/a/b-1.2_3~/", "/a/b-1.2_3~"), ("/", "")]
)
def test_prefix_ends_without_a_slash(
    monkeypatch: pytest.MonkeyPatch, written: str, prefix: str
) -> None:
    """Whether one is written or not."""
    monkeypatch.setenv("FILLMASK_ROOT_PATH", written)
    assert Settings().root_path == prefix


@pytest.mark.parametrize(
    "written",
    ["fillmask", "/a//b", "/a b", "/../b", "/a/.", "/%61", "/a?b", "//", "/é", "https://a"],
)
def test_prefix_that_can_be_read_in_two_ways_is_refused(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """A proxy might write it in another way."""
    monkeypatch.setenv("FILLMASK_ROOT_PATH", written)
    with pytest.raises(ValidationError, match="is no prefix of a path; give a slash and a name"):
        Settings()


def test_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of both kinds."""
    monkeypatch.setenv("FILLMASK_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16 ,FD00::/8,::1")
    assert Settings().trusted_proxies == ("10.0.0.5/32", "10.1.0.0/16", "fd00::/8", "::1/128")


@pytest.mark.parametrize("written", ["*", "nginx", "10.0.0.1/8", "10.0.0", "10.0.0.5:80", "/run/x"])
def test_proxy_that_nobody_can_be_is_refused(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """It would be trusted in vain, or too many would be."""
    monkeypatch.setenv("FILLMASK_TRUSTED_PROXIES", f"10.0.0.5,{written}")
    with pytest.raises(ValidationError, match="is no address and no network; give"):
        Settings()


def test_tracing_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for traces is told what to install, before anything starts."""
    monkeypatch.setenv("FILLMASK_TRACING", "true")
    assert Settings().tracing

    def find_nothing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("service.settings.settings.version", find_nothing)
    with pytest.raises(ValidationError, match=r"install requirements/otel.txt"):
        Settings()


def test_settings_never_change() -> None:
    """Whoever holds them may rely on them."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().port = 1


def test_every_setting_is_described() -> None:
    """The description is the documentation."""
    assert all(setting.description for setting in Settings.model_fields.values())
