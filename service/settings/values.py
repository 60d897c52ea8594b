"""How the values of settings are written: lists, origins, networks, a prefix of paths."""

import re
from ipaddress import ip_network
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

_is_origin = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s]+").fullmatch
_is_prefix = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~-]+)*").fullmatch
"""Of names that are written in one way only, and none of which means another place."""


def _split(value: object) -> object:
    """Read a list as people write it into an environment variable: with commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_origin(origin: str) -> str:
    if origin != "*" and not _is_origin(origin):
        message = f"{origin} is no origin; give scheme, host and port: https://example.org"
        raise ValueError(message)
    return origin


def _check_network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        message = (
            f"{written} is no address and no network; give the addresses of your proxies, or their "
            "network with nothing behind its prefix: 10.0.0.5,10.1.0.0/16,fd00::/8"
        )
        raise ValueError(message) from None


def _check_prefix(written: str) -> str:
    prefix = written.removesuffix("/")
    if not _is_prefix(prefix):
        message = (
            f"{written} is no prefix of a path; give a slash and a name of letters, digits, dots, "
            "hyphens and underscores: /fillmask"
        )
        raise ValueError(message)
    return prefix


LISTED = (NoDecode, BeforeValidator(_split))
"""What makes a tuple one that is written with commas."""

Origin: TypeAlias = Annotated[str, AfterValidator(_check_origin)]
Network: TypeAlias = Annotated[str, AfterValidator(_check_network)]
PathPrefix: TypeAlias = Annotated[str, AfterValidator(_check_prefix)]
