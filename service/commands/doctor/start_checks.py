"""What a server is held against before it starts: settings that could never work end it."""

from importlib.util import find_spec

import structlog

from model_store.errors import PresetNotFoundError
from model_store.fetching.resolver import expand_home
from model_store.store import ModelStore
from service.app import create_app
from service.commands.environment import SettingsError, find_unknown_settings
from service.settings import Settings

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


def check_start(settings: Settings, store: ModelStore) -> None:
    """Refuse settings that no later event can make work.

    What may still come, such as files that are fetched, is left to the loads.

    Raises:
        SettingsError: the settings name an engine, a directory or a preset that is not there, or a
            prefix that nobody could tell from a path.
    """
    _require_engine(settings)
    _require_free_prefix(settings, store)
    _require_directory(settings)
    _require_preset(store, "FILLMASK_DEFAULT_PRESET", settings.default_preset)
    for name in settings.pinned_presets:
        _require_preset(store, "FILLMASK_PINNED_PRESETS", name)


def log_what_is_ignored(store: ModelStore) -> None:
    """Say once what looks like a setting or a preset, and is none."""
    for variable, likely in find_unknown_settings().items():
        _LOG.warning("setting_unknown", variable=variable, likely=likely)
    for directory, reason in store.ignored_directories().items():
        _LOG.warning("directory_ignored", directory=directory, reason=reason)


def _require_engine(settings: Settings) -> None:
    # The engines are named for the packages that hold them.
    if settings.engine != "auto" and find_spec(settings.engine) is None:
        message = (
            f"FILLMASK_ENGINE names {settings.engine}, which is not installed; "
            "install it, or name another one, or auto."
        )
        raise SettingsError(message)


def _require_free_prefix(settings: Settings, store: ModelStore) -> None:
    """Refuse a prefix that is a route's too: a proxy may have taken it off a path, or may not."""
    if not settings.root_path:
        return
    first = settings.root_path.split("/")[1]
    paths = create_app(settings, store).paths
    if any(path.split("/")[1] == first for path in paths):
        message = (
            f"FILLMASK_ROOT_PATH is {settings.root_path}, and the service has paths of its own "
            f"below /{first}; take another prefix, such as /fillmask."
        )
        raise SettingsError(message)


def _require_directory(settings: Settings) -> None:
    is_named = "model_store_dir" in settings.model_fields_set
    if is_named and not expand_home(settings.model_store_dir).is_dir():
        message = (
            f"FILLMASK_MODEL_STORE_DIR names {settings.model_store_dir}, which is no directory; "
            "make it, or name another one."
        )
        raise SettingsError(message)


def _require_preset(store: ModelStore, variable: str, name: str) -> None:
    try:
        preset = store.find(name)
    except PresetNotFoundError:
        message = f"{variable} names {name}, which is no preset; " + (
            store.problem() or "`fillmask presets list` lists those there are."
        )
        raise SettingsError(message) from None
    if preset.no_head and preset.directory is None:
        message = f"{variable} names {name}, which cannot fill a mask: {preset.no_head}"
        raise SettingsError(message)
