"""The public door for backends: all that a separately installed backend imports.

``__all__`` is the promise; everything else in ``badges_plugin.distribution`` is free to change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from badges_plugin.conf import is_enabled, section
from badges_plugin.distribution.backends import Backend
from badges_plugin.distribution.conf import config
from badges_plugin.distribution.data import (
    Action,
    AtProvider,
    Cancelled,
    Place,
    ProviderRequest,
    Receipt,
    Recipient,
    spellings,
    web_url,
)
from badges_plugin.distribution.exceptions import (
    AlreadyIssued,
    DeliveryFailure,
    PermanentFailure,
    RejectedKey,
    TransientFailure,
)
from badges_plugin.distribution.foresight import obstacles, provider_name
from badges_plugin.distribution.housekeeping import Chore
from badges_plugin.distribution.housekeeping import register as register_chore
from badges_plugin.distribution.http import HttpClient, Timeouts
from badges_plugin.distribution.keys import UnreadableKey, decrypt, encrypt
from badges_plugin.distribution.keys import register as register_encrypted
from badges_plugin.distribution.queueing import is_queued, queue_earlier
from badges_plugin.distribution.rate_limit import RateLimiter
from badges_plugin.distribution.recipients import MISSING_NAME
from badges_plugin.distribution.registry import register, unregister
from badges_plugin.distribution.shared_limit import shared_limiter
from badges_plugin.doctor import Finding, Reach
from badges_plugin.doctor import register as register_probe
from badges_plugin.models import BadgeAward, BadgeTemplate

if TYPE_CHECKING:
    from badges_plugin.admin.templates import BadgeTemplateAdmin
    from badges_plugin.distribution.webhooks import BadNotification, TooManyUnknown, UnknownSubject, WebhookView

__all__ = [
    "MISSING_NAME",
    "Action",
    "AlreadyIssued",
    "AtProvider",
    "Backend",
    "BadNotification",
    "BadgeAward",
    "BadgeTemplate",
    "BadgeTemplateAdmin",
    "Cancelled",
    "Chore",
    "DeliveryFailure",
    "Finding",
    "HttpClient",
    "PermanentFailure",
    "Place",
    "ProviderRequest",
    "RateLimiter",
    "Reach",
    "Receipt",
    "Recipient",
    "RejectedKey",
    "Timeouts",
    "TooManyUnknown",
    "TransientFailure",
    "UnknownSubject",
    "UnreadableKey",
    "WebhookView",
    "decrypt",
    "encrypt",
    "is_enabled",
    "is_queued",
    "obstacles",
    "provider_name",
    "queue_earlier",
    "register",
    "register_chore",
    "register_encrypted",
    "register_probe",
    "section",
    "shared_limiter",
    "spellings",
    "unregister",
    "usual_timeouts",
    "web_url",
]

# Imported when asked for: the models of a backend import this module before the apps are ready.
_LAZY = {
    "BadgeTemplateAdmin": "badges_plugin.admin.templates",
    "BadNotification": "badges_plugin.distribution.webhooks",
    "TooManyUnknown": "badges_plugin.distribution.webhooks",
    "UnknownSubject": "badges_plugin.distribution.webhooks",
    "WebhookView": "badges_plugin.distribution.webhooks",
}


def usual_timeouts() -> Timeouts:
    """Return the timeouts of a request according to BADGES_CONFIG["distribution"]["request_timeout"]."""
    return Timeouts.within(config().request_timeout)


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
