"""The catalogue: what is known of every preset before a file of it is read."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

EMBEDDED = "minilm_l6_en_uncased"
"""The preset whose files ship with the package."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A preset known by name.

    Attributes:
        source: `embedded`, or the handle of its files.
        family: as configs name it, see `EncoderConfig.family`; None where only files would tell.
        head: the handle of the original checkpoint, where the head comes from if `source` has none.
        no_head: why it can never fill a mask, one sentence, or None.
    """

    name: str
    description: str
    parameters: int
    source: str
    family: str | None = None
    head: str | None = None
    no_head: str | None = None


@cache
def read_catalog() -> dict[str, CatalogEntry]:
    """Return the entries of `catalog.toml` by name, in its order."""
    text = files("model_store.fetching").joinpath("catalog.toml").read_text(encoding="utf-8")
    return {name: CatalogEntry(name, **fields) for name, fields in tomllib.loads(text).items()}
