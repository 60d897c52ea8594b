"""The life of presets in the log: one event for each thing that happens to one."""

import structlog

from model_store.loading.load_news import LoadNews
from service.errors.exceptions import ShuttingDownError
from service.errors.table import describe_failure
from service.models.cache_records import CacheEvent, CacheRecord
from service.models.served_model import ServedModel

_LOG: structlog.typing.FilteringBoundLogger = structlog.get_logger(__name__)


class PresetLog:
    """Hears what happens to models. A load that fails as it failed before is not news."""

    def __init__(self) -> None:
        """Know of no failure yet."""
        self._failures: dict[str, str] = {}
        self._told: set[tuple[str, LoadNews]] = set()

    def hear(self, preset: str, news: LoadNews) -> None:
        """Log what a load tells; what it has to do without only once."""
        is_new = (preset, news) not in self._told
        self._told.add((preset, news))
        match news.kind:
            case "converting":
                _LOG.info("preset_converting", preset=preset)
            case "measuring":
                _LOG.info("preset_measuring", preset=preset)
            case "conversion_damaged":
                _LOG.warning("conversion_damaged", preset=preset, reason=news.sentence)
            case "cache_not_writable" if is_new:
                _LOG.warning("cache_not_writable", preset=preset, reason=news.sentence)
            case "not_measured" if is_new:
                _LOG.warning("precision_not_measured", preset=preset, reason=news.sentence)
            case "engine_unavailable" if is_new:
                _LOG.warning("engine_unavailable", preset=preset, reason=news.sentence)

    def observe(self, record: CacheRecord) -> None:
        """Log what is of interest later on; that a model was used is not."""
        match record.event:
            case CacheEvent.LOAD:
                self._failures.pop(record.name, None)
                _LOG.info("preset_loaded", **_times(record), **_facts(record.model))
            case CacheEvent.FAILURE:
                self._log_failure(record)
            case CacheEvent.EVICTION:
                _LOG.info("preset_evicted", preset=record.name, reason=record.reason)
            case CacheEvent.UNLOAD:
                self._failures.pop(record.name, None)
                _LOG.info("preset_unloaded", preset=record.name)
            case CacheEvent.PIN:
                _LOG.info("preset_pinned", preset=record.name)
            case CacheEvent.UNPIN:
                _LOG.info("preset_unpinned", preset=record.name)
            case _:
                pass

    def _log_failure(self, record: CacheRecord) -> None:
        reason = repr(record.error)
        # At the end of the server nothing is wrong with the preset.
        is_end = isinstance(record.error, ShuttingDownError)
        if not is_end and self._failures.get(record.name) != reason:
            self._failures[record.name] = reason
            _LOG.error("preset_failed", **_times(record), **describe_failure(record.error))


def _times(record: CacheRecord) -> dict[str, object]:
    return {"preset": record.name, "seconds": round(record.seconds, 3)}


def _facts(served: ServedModel) -> dict[str, object]:
    facts = served.model.facts
    return {
        "engine": served.model.engine,
        "precision": facts.precision,
        "bytes": facts.nbytes,
    }
