"""Who asks, as far as an address tells: by it pages and REST API count what everybody may ask."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

# A household or a phone has a whole network of this size to itself.
_IPV6_NETWORK = 64


def address_of(request: HttpRequest) -> str:
    """Return the address that asks, as the nearest proxy saw it; of IPv6 the network.

    In most deployments, Tutor's among them, the service sees the address of its proxy only. What the proxy itself added
    to X-Forwarded-For is the last entry; those before it may be made up. It is believed only from an address within a
    network of one's own. An operator with other proxies sets django-ratelimit's RATELIMIT_IP_META_KEY, which wins.
    """
    given = getattr(settings, "RATELIMIT_IP_META_KEY", None)
    if isinstance(given, str) and given in request.META:
        return _network(str(request.META[given]))
    peer = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").rpartition(",")[2].strip()
    if forwarded and _is_within(peer):
        return _network(forwarded)
    return _network(peer)


def _is_within(address: str) -> bool:
    """Whether an address is of one's own network. A socket in the file system has no address at all."""
    found = _parsed(address)
    return found.is_private if found else not address


def _network(address: str) -> str:
    found = _parsed(address)
    if found is None:
        return "unknown"
    if found.version == 6:
        return str(ipaddress.ip_network(f"{found}/{_IPV6_NETWORK}", strict=False).network_address)
    return str(found)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    # Some proxies add the port: 192.0.2.1:4711, [2001:db8::1]:4711.
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    # A server that listens to both kinds writes IPv4 addresses so; all of them together are one network of IPv6.
    return getattr(found, "ipv4_mapped", None) or found
