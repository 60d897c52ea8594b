"""Where a request comes from: the address that connected, or the one that a proxy vouches for."""

from ipaddress import ip_address

from starlette.types import Scope


def caller_of(scope: Scope) -> str | None:
    """Return the address of a caller, or None where nobody knows: a proxy may pass on anything."""
    host, _ = scope.get("client") or ("", 0)
    try:
        return str(ip_address(host))
    except ValueError:
        return None
