"""Which web addresses may be fetched, and which networks they may lead to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from corpus.errors import SourceError

HOST_NOT_FOUND = "the host name cannot be found"
# The ipaddress module calls these networks global, but they may lead into a private one: NAT64, 6to4, Teredo, CGNAT.
_TUNNEL_NETWORKS = tuple(ipaddress.ip_network(n) for n in ("64:ff9b::/96", "2002::/16", "2001::/32", "100.64.0.0/10"))
Resolve = Callable[[str, int], list[str]]


def resolve_host(host: str, port: int) -> list[str]:
    """The IP addresses of a host, in the order to try them.

    Raises:
        SourceError: the host cannot be found.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise SourceError(HOST_NOT_FOUND) from exc
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Whether the IP address is on the public internet and is not a tunnel into another network."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    tunnelled = any(ip.version == network.version and ip in network for network in _TUNNEL_NETWORKS)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not tunnelled


def check_address(url: str) -> str:
    """The web address without surrounding white space.

    Raises:
        SourceError: it may not be fetched.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise SourceError(f"it is not a web address: {exc}") from exc
    if parts.scheme.lower() not in ("http", "https"):
        raise SourceError(f"only http and https are fetched, not {parts.scheme or 'an address without scheme'}")
    if not host:
        raise SourceError("it is not a web address: it names no host")
    if parts.username or parts.password:
        raise SourceError("an address with a user name or password is not fetched")
    return parts.geturl()


def follow_redirect(url: str, location: str) -> str:
    """The address that a redirect leads to.

    Raises:
        SourceError: it is not a web address.
    """
    try:
        return urljoin(url, location)
    except ValueError as exc:
        raise SourceError(f"it redirects to no web address: {exc}") from exc
