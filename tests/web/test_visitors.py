"""Whose requests are counted together."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from badges_plugin.web.visitors import address_of


@pytest.mark.parametrize(
    ("peer", "forwarded", "counted"),
    [
        ("8.8.8.8", "", "8.8.8.8"),
        ("8.8.8.8", "203.0.113.1", "8.8.8.8"),
        ("172.18.0.2", "203.0.113.1", "203.0.113.1"),
        ("172.18.0.2", "10.0.0.1, 203.0.113.1", "203.0.113.1"),
        ("", "203.0.113.1", "203.0.113.1"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::"),
        # As a server that listens to both kinds writes IPv4: each counts alone, and a stranger is no proxy of ours.
        ("::ffff:8.8.8.8", "203.0.113.1", "8.8.8.8"),
        ("::ffff:172.18.0.2", "203.0.113.1", "203.0.113.1"),
        ("172.18.0.2", "::ffff:203.0.113.1", "203.0.113.1"),
        ("172.18.0.2", "203.0.113.1:4711", "203.0.113.1"),
        ("172.18.0.2", "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::"),
        ("nonsense", "203.0.113.1", "unknown"),
        ("172.18.0.2", "nonsense", "unknown"),
    ],
)
def test_the_address_that_counts(peer: str, forwarded: str, counted: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert address_of(request) == counted
