"""How many deliveries wait, are on hold, or need somebody: what the front page of staff tells."""

from __future__ import annotations

from django.apps import apps

from badges_plugin.counting import count_up_to
from badges_plugin.distribution import registry
from badges_plugin.distribution.models import Channel, Delivery
from badges_plugin.distribution.retry import State


def waiting() -> int:
    """Return how many deliveries go on by themselves, without those of paused accounts; counted up to a bound."""
    open_ones = Channel.objects.filter(paused_reason="").order_by("pk").values_list("pk", flat=True)
    return count_up_to(Delivery.objects.filter(state__in=(State.PENDING, State.SENDING), channel__in=list(open_ones)))


def on_hold() -> int:
    """Return how many deliveries wait for an account whose key is rejected; counted up to a bound."""
    return count_up_to(Delivery.objects.filter(state=State.PENDING, channel__in=_paused()))


def failed() -> int:
    """Return how many deliveries only staff can help; counted up to a bound."""
    return count_up_to(Delivery.objects.filter(state=State.FAILED))


def paused_accounts() -> int:
    """Return how many accounts are paused until their key is corrected."""
    return len(_paused())


def labels_of_backends() -> set[str]:
    """Return the labels of the apps that the backends came with."""
    modules = (type(registry.get(slug)).__module__ for slug in registry.slugs())
    return {config.label for config in map(apps.get_containing_app_config, modules) if config is not None}


def _paused() -> list[int]:
    return list(Channel.objects.exclude(paused_reason="").order_by("pk").values_list("pk", flat=True))
