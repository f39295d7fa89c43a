"""Import everything that we use from the Credentials service; no other module imports from it.

The names below exist in every supported release (Redwood to Verawood); this module handles the differences between
releases.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from credentials.apps.core.models import SiteConfiguration, User
from credentials.apps.credentials.models import AbstractCredential, UserCredential
from credentials.apps.plugins.constants import PROJECT_TYPE
from crum import get_current_user
from django.apps import apps
from django.conf import settings
from django.contrib.sites.models import Site
from django.core.checks.registry import registry
from django.db.models.functions import Lower
from openedx_events.tooling import OpenEdxPublicSignal, load_all_signals

__all__ = [
    "AWARDED",
    "PROJECT_TYPE",
    "REVOKED",
    "AbstractCredential",
    "SiteFacts",
    "User",
    "UserCredential",
    "builtin_models",
    "builtin_receivers",
    "course_keys_like",
    "course_titles",
    "current_user",
    "has_ace",
    "other_tenants",
    "site_facts",
    "switch_builtin_off",
]

AWARDED: str = UserCredential.AWARDED
REVOKED: str = UserCredential.REVOKED


BUILTIN_APP = "credentials.apps.badges"
"""The host's built-in badges app, from Sumac on; its parts have the same names in each release."""

BUILTIN_LABEL = "badges"

_DEFAULT_PICTURES = "https://edx-cdn.org/"

# The receivers of its internal signals, by signal.
_BUILTIN_CHAIN = {
    "BADGE_REQUIREMENT_FULFILLED": "handle_requirement_fulfilled",
    "BADGE_REQUIREMENT_REGRESSED": "handle_requirement_regressed",
    "BADGE_PROGRESS_COMPLETE": "handle_badge_completion",
    "BADGE_PROGRESS_INCOMPLETE": "handle_badge_regression",
}


def builtin_models() -> dict[str, Any]:
    """Return the models of the built-in badges app by name; empty if the host has no such app."""
    if not apps.is_installed(BUILTIN_APP):
        return {}
    return {model.__name__: model for model in apps.get_app_config(BUILTIN_LABEL).get_models()}


def switch_builtin_off() -> None:
    """Disconnect the built-in app: its receivers, the URL of its webhook, its check of the settings.

    Called when all apps are ready, before the URLs are read. Nothing is stored: in a process that does not call this
    the app stays on. Parts that a release lacks are skipped; ``builtin_receivers`` returns the remaining receivers.
    """
    if not apps.is_installed(BUILTIN_APP):
        return
    if handlers := _builtin_part("signals.handlers"):
        load_all_signals()
        for signal in OpenEdxPublicSignal.all_events():
            signal.disconnect(handlers.handle_badging_event, dispatch_uid=signal.event_type)
        signals = _builtin_part("signals.signals")
        for signal_name, receiver_name in _BUILTIN_CHAIN.items():
            internal, receiver = getattr(signals, signal_name, None), getattr(handlers, receiver_name, None)
            if internal is not None and receiver is not None:
                internal.disconnect(receiver)
    if checks := _builtin_part("checks"):
        registry.registered_checks.discard(checks.badges_checks)
    if urls := _builtin_part("urls"):
        # The host includes the module by name: if it is empty, the URLs of plugins are tried next.
        urls.urlpatterns[:] = []


def builtin_receivers() -> list[str]:
    """Return the types of the public events that the built-in app receives in this process."""
    return sorted(
        signal.event_type
        for signal in OpenEdxPublicSignal.all_events()
        if any(_module_of(entry[1]).startswith(f"{BUILTIN_APP}.") for entry in signal.receivers)
    )


def _builtin_part(name: str) -> Any:
    """Return a module of the built-in app, None if the release does not have it."""
    try:
        return import_module(f"{BUILTIN_APP}.{name}")
    except ModuleNotFoundError:
        return None


def _module_of(reference: Any) -> str:
    """Return the module of a receiver, to which a signal may hold a weak reference."""
    receiver = reference if hasattr(reference, "__module__") and hasattr(reference, "__qualname__") else reference()
    return str(getattr(receiver, "__module__", ""))


def course_keys_like(keys: Collection[str]) -> list[str]:
    """Return the keys of course runs in the service's catalog that equal one of ``keys``, ignoring case.

    A command copies the catalog from Discovery: it may be empty or old. Costs one query, none without a catalog.
    """
    if not apps.is_installed("credentials.apps.catalog"):
        return []
    label = "catalog"  # not a literal: the type checker would look for the app, which the stand-in lacks
    runs = apps.get_model(label, "CourseRun").objects.annotate(letters=Lower("key"))
    found = runs.filter(letters__in=[key.lower() for key in keys]).order_by()
    return list(found.values_list("key", flat=True).distinct())


def course_titles(keys: Collection[str]) -> dict[str, str]:
    """Return the titles of course runs by key, as far as the service's catalog knows them.

    The same run is in the catalog once for each site; any title of it will do. One query, none without a catalog or
    without keys.
    """
    if not keys or not apps.is_installed("credentials.apps.catalog"):
        return {}
    label = "catalog"  # as above
    runs = apps.get_model(label, "CourseRun").objects.filter(key__in=list(keys)).order_by("-pk")
    rows = runs.values_list("key", "title_override", "course__title")
    return {key: own or title for key, own, title in rows if own or title}


def current_user() -> User | None:
    """Return who is signed in in the request that runs; None where nobody is, as in commands and consumers.

    The host's own middleware knows, in every release.
    """
    user = get_current_user()
    return user if user is not None and user.is_authenticated and user.pk else None


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the service knows of a site, for its pages and documents. Empty texts: it knows nothing."""

    platform_name: str = ""
    lms_url: str = ""
    contact_email: str = ""
    logo_url: str = ""
    favicon_url: str = ""
    homepage_url: str = ""
    privacy_url: str = ""
    help_url: str = ""
    theme_name: str = ""
    links_to_linkedin: bool = True


def site_facts(site: Site | None) -> SiteFacts:
    """Return what is known of a site; much less, and no error, where it has no configuration. One query."""
    row = SiteConfiguration.objects.filter(site=site).first() if site is not None else None

    def told(name: str) -> str:
        return str(getattr(row, name, None) or "").strip()

    return SiteFacts(
        platform_name=told("platform_name"),
        lms_url=told("lms_url_root"),
        contact_email=told("partner_from_address"),
        logo_url=_chosen("LOGO_URL"),
        favicon_url=_chosen("FAVICON_URL"),
        homepage_url=told("homepage_url"),
        privacy_url=told("privacy_policy_url"),
        help_url=told("certificate_help_url"),
        theme_name=told("theme_name"),
        links_to_linkedin=bool(getattr(row, "enable_linkedin_sharing", True)),
    )


def _chosen(name: str) -> str:
    """Return the URL of a picture, unless it is the service's default: it is on edX's servers and no site's own."""
    url = str(getattr(settings, name, "") or "")
    return "" if url.startswith(_DEFAULT_PICTURES) else url


def has_ace() -> bool:
    """Return whether the host has set up edx-ace, by which it sends mails then."""
    return bool(getattr(settings, "ACE_ENABLED_CHANNELS", None)) and find_spec("edx_ace") is not None


def other_tenants(site: Site | None) -> list[int]:
    """Return the keys of all sites with a configuration but this one. One query."""
    others = SiteConfiguration.objects.exclude(site=site) if site is not None else SiteConfiguration.objects.all()
    return list(others.order_by("site").values_list("site", flat=True))
