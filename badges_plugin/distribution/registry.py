"""Who delivers. Backends register in the ``ready()`` of their app; nothing here knows them by name."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from badges_plugin import doctor
from badges_plugin.distribution.backends import Backend
from badges_plugin.models import BadgeTemplate

_backends: dict[str, Backend[Any]] = {}

MAX_SLUG_LENGTH = 32


def register(backend: Backend[Any]) -> None:
    """Add a backend.

    The same class again replaces it; another class under the same slug is a mistake of the installation.
    """
    known = _backends.get(backend.slug)
    if known is not None and type(known) is not type(backend):
        raise ImproperlyConfigured(
            f"Two distribution backends are called {backend.slug!r}: {type(known).__qualname__} and "
            f"{type(backend).__qualname__}. Uninstall one of them or change its slug."
        )
    if not 0 < len(backend.slug) <= MAX_SLUG_LENGTH:
        raise ImproperlyConfigured(
            f"The slug of a distribution backend has 1 to {MAX_SLUG_LENGTH} characters: {backend.slug!r}"
        )
    _backends[backend.slug] = backend
    # The doctor looks at what its app has to say, too, wherever it is installed from.
    doctor.register_package(type(backend).__module__)


def unregister(slug: str) -> None:
    """Forget a backend; its deliveries wait until it is registered again."""
    _backends.pop(slug, None)


def get(slug: str) -> Backend[Any]:
    """The backend of this name. Raises KeyError when it is not installed."""
    return _backends[slug]


def slugs() -> list[str]:
    """The names of all backends, sorted."""
    return sorted(_backends)


def responsible_for(template: BadgeTemplate) -> list[Backend[Any]]:
    """The backends that carry the awards of this template to the outside; none for a badge that stays here."""
    return [backend for slug, backend in sorted(_backends.items()) if backend.handles(template)]
