"""The settings of this process, read once: what is wrong with them is said in sentences."""

import os
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.settings import Settings

_PREFIX = "FILLMASK_"


class SettingsError(Exception):
    """Settings that nothing can be done with; the message has a sentence for each."""


def read_settings() -> Settings:
    """Return the settings that the environment gives.

    Raises:
        SettingsError: one of them is not valid.
    """
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("\n".join(map(_describe, error.errors()))) from None


def find_unknown_settings(environment: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """Return the variables that look like settings and are none, each with the likeliest name."""
    known = [f"{_PREFIX}{name.upper()}" for name in Settings.model_fields]
    return {
        variable: next(iter(get_close_matches(variable.upper(), known, n=1, cutoff=0.8)), None)
        for variable in sorted(environment)
        if variable.upper().startswith(_PREFIX) and variable.upper() not in known
    }


def _describe(found: ErrorDetails) -> str:
    """Say what is wrong with one setting, or with several that do not go together."""
    message = found["msg"].removeprefix("Value error, ").rstrip(".")
    if not found["loc"]:
        return f"{message}."
    return f"{_PREFIX}{str(found['loc'][0]).upper()} is not valid: {message}."
