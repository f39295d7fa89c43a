"""Registry of distribution backends. Each registers itself in the ``ready()`` of its app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from badges_plugin import doctor
from badges_plugin.distribution.backends import Backend
from badges_plugin.models import BadgeAward, BadgeTemplate

_backends: dict[str, Backend[Any]] = {}

MAX_SLUG_LENGTH = 32


def register(backend: Backend[Any]) -> None:
    """Add a backend, or replace one of the same class. Raises ImproperlyConfigured for another class of that slug.

    ``badges_doctor`` then also examines the checks and migrations of the backend's app.
    """
    known = _backends.get(backend.slug)
    if known is not None and type(known) is not type(backend):
        raise ImproperlyConfigured(
            f"Two distribution backends have the slug {backend.slug!r}: {type(known).__qualname__} and "
            f"{type(backend).__qualname__}. Uninstall one of them, or change its slug."
        )
    if not 0 < len(backend.slug) <= MAX_SLUG_LENGTH:
        raise ImproperlyConfigured(
            f"The slug of a distribution backend must have 1 to {MAX_SLUG_LENGTH} characters: {backend.slug!r}."
        )
    _backends[backend.slug] = backend
    doctor.register_package(type(backend).__module__)


def unregister(slug: str) -> None:
    """Remove a backend; its deliveries wait until it is registered again."""
    _backends.pop(slug, None)


def get(slug: str) -> Backend[Any]:
    """Return the backend of this slug. Raises KeyError when it is not installed."""
    return _backends[slug]


def name_of(slug: str) -> str:
    """Return a provider's name for people, or its slug where its backend is not installed any more."""
    return str(_backends[slug].name) if slug in _backends else slug


def slugs() -> list[str]:
    """Return the slugs of all backends, sorted."""
    return sorted(_backends)


def responsible_for(template: BadgeTemplate) -> list[Backend[Any]]:
    """Return the backends that deliver the awards of this template; none for a badge that stays here."""
    return [backend for slug, backend in sorted(_backends.items()) if backend.handles(template)]


def formerly_responsible_for(template: BadgeTemplate) -> list[Backend[Any]]:
    """Return the backends that deliver the awards of this template, or may have delivered some."""
    return [backend for slug, backend in sorted(_backends.items()) if backend.may_have_issued(template)]


def by_backend(
    awards: Sequence[BadgeAward], backends_of: Callable[[BadgeTemplate], Sequence[Backend[Any]]]
) -> list[tuple[Backend[Any], list[BadgeAward]]]:
    """Return the backends of the awards, in the order of their slugs, each with its own; templates are asked once."""
    templates = {award.progress.template_id: award.template for award in awards}
    responsible = {pk: backends_of(template) for pk, template in templates.items()}
    backends = {backend.slug: backend for found in responsible.values() for backend in found}
    return [
        (backend, [award for award in awards if backend in responsible[award.progress.template_id]])
        for _, backend in sorted(backends.items())
    ]
