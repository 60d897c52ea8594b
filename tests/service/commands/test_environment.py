"""Reading the settings: sentences for what is wrong, and an eye for what is misspelt."""

import pytest

from service.commands.environment import SettingsError, find_unknown_settings, read_settings


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `Settings` reads them."""
    monkeypatch.setenv("FILLMASK_PORT", "9000")
    assert read_settings().port == 9000


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FILLMASK_PORT", "70000", "FILLMASK_PORT is not valid: Input should be less than or"),
        ("FILLMASK_LOG_FORMAT", "xml", "FILLMASK_LOG_FORMAT is not valid: Input should be 'auto'"),
        ("FILLMASK_PRECISION", "int4", "FILLMASK_PRECISION is not valid: Input should be 'auto'"),
        ("FILLMASK_ENGINE", "onnx", "FILLMASK_ENGINE is not valid: Input should be 'auto'"),
        ("FILLMASK_CORS_ORIGINS", "a", "FILLMASK_CORS_ORIGINS is not valid: a is no origin; give"),
        ("FILLMASK_API_KEYS_FILE", "/no", "FILLMASK_API_KEYS_FILE is not valid: Path does not"),
        ("FILLMASK_PRESETS", "a", "FILLMASK_DEFAULT_PRESET names minilm_l6_en_uncased, which"),
    ],
)
def test_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, sentence: str
) -> None:
    """It names the variable, and ends as sentences do."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as raised:
        read_settings()
    (line,) = str(raised.value).splitlines()
    assert line.startswith(sentence)
    assert line.endswith(".")
    assert not line.endswith("..")


def test_every_wrong_setting_has_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to start again for each."""
    monkeypatch.setenv("FILLMASK_PORT", "x")
    monkeypatch.setenv("FILLMASK_WORKERS", "0")
    with pytest.raises(SettingsError) as raised:
        read_settings()
    assert [line.split()[0] for line in str(raised.value).splitlines()] == [
        "FILLMASK_PORT",
        "FILLMASK_WORKERS",
    ]


@pytest.mark.parametrize(
    ("variable", "likely"),
    [
        ("FILLMASK_LOG_FROMAT", "FILLMASK_LOG_FORMAT"),
        ("FILLMASK_DEFAULT_PRESETS", "FILLMASK_DEFAULT_PRESET"),
        ("fillmask_prots", "FILLMASK_PORT"),
        ("FILLMASK_XYZZY", None),
    ],
)
def test_unknown_setting_is_found_with_the_likeliest_name(
    variable: str, likely: str | None
) -> None:
    """A misspelt variable changes nothing, so somebody has to say so."""
    assert find_unknown_settings({variable: "1"}) == {variable: likely}


def test_settings_and_the_variables_of_others_are_no_unknown_ones() -> None:
    """However a setting is capitalised: the environment is read so."""
    assert find_unknown_settings({"FILLMASK_PORT": "1", "fillmask_host": "a", "PROT": "2"}) == {}
