"""The typed view of BADGES_CONFIG["distribution"]."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import MAX_DAYS, days_to_keep, known_section
from badges_plugin.distribution.retry import RetryPolicy

# Seconds between the latest end of a request and the end of its claim: clocks differ, and threads wait.
_MARGIN = 5.0
_RETRY_DEFAULTS = {f"retry_{field.name}": field.default for field in fields(RetryPolicy)}
_DEFAULTS: dict[str, object] = {
    "lease": 120.0,
    "request_timeout": 30.0,
    "notify": False,
    "keep_attempts_days": 90,
    "keep_deliveries_days": 730,
    **_RETRY_DEFAULTS,
}
# No later instant than what a date can hold.
_LONGEST = MAX_DAYS * 86_400.0
# Where not every number from 0 on makes sense: no request succeeds in no time, pauses must not shrink to nothing,
# and chance must not make them negative.
_BOUNDS = {
    "request_timeout": (0.1, _LONGEST),
    "retry_factor": (1, math.inf),
    "retry_jitter": (0, 1),
    "retry_breaker_threshold": (1, math.inf),
}


@dataclass(frozen=True, slots=True)
class DistributionConfig:
    """How deliveries behave. Seconds, unless the name says days.

    ``lease``: how long a worker may hold a delivery; then it counts as killed and its deliveries are looked up at the
    provider. ``request_timeout``: the longest that one request may take. The lease must be longer, with some to spare.
    ``keep_...``: after so many days the worker deletes what need not be kept; None is never.
    """

    lease: float
    request_timeout: float
    notify: bool
    keep_attempts_days: int | None
    keep_deliveries_days: int | None
    retry: RetryPolicy

    @property
    def time_to_send(self) -> float:
        """So long after the claim a request may begin: it must have ended when the claim does, with some to spare."""
        return self.lease - self.request_timeout - _MARGIN

    @property
    def time_to_end(self) -> float:
        """So long a stopped worker waits for the requests that are under way."""
        return self.request_timeout + _MARGIN


def config() -> DistributionConfig:
    """The settings of deliveries, with their defaults.

    .. setting_name: BADGES_CONFIG["distribution"]
    .. setting_default: {}
    .. setting_description: ``lease`` and ``request_timeout`` (seconds), ``notify`` (bool: tell learners by e-mail),
        ``keep_attempts_days`` and ``keep_deliveries_days`` (0: for ever), and ``retry_...`` for each field of
        ``badges_plugin.distribution.retry.RetryPolicy``.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = known_section("distribution", _DEFAULTS, null="never")
    retry = {name.removeprefix("retry_"): _number(name, values[name]) for name in _RETRY_DEFAULTS}
    result = DistributionConfig(
        lease=_number("lease", values["lease"]),
        request_timeout=_number("request_timeout", values["request_timeout"]),
        notify=_flag("notify", values["notify"]),
        keep_attempts_days=days_to_keep("distribution", "keep_attempts_days", values["keep_attempts_days"]),
        keep_deliveries_days=days_to_keep("distribution", "keep_deliveries_days", values["keep_deliveries_days"]),
        retry=RetryPolicy(**{**retry, "breaker_threshold": int(retry["breaker_threshold"])}),  # type: ignore[arg-type]
    )
    if result.time_to_send <= 0:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["distribution"]: lease ({result.lease:g}) must be longer than request_timeout '
            f"({result.request_timeout:g}) by more than {_MARGIN:g} seconds, or a worker could still be sending what "
            "another has taken over."
        )
    return result


def _number(name: str, value: object) -> float:
    least, most = _BOUNDS.get(name, (0, _LONGEST))
    is_finite = isinstance(value, int | float) and math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite or not least <= value <= most:
        wanted = f"a number from {least:g} to {most:.10g}" if most < math.inf else f"a number, {least:g} or more"
        raise ImproperlyConfigured(f'BADGES_CONFIG["distribution"]["{name}"] must be {wanted}, not {value!r}.')
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ImproperlyConfigured(f'BADGES_CONFIG["distribution"]["{name}"] must be True or False, not {value!r}.')
    return value
