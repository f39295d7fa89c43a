"""The typed view of BADGES_CONFIG["distribution"]."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.conf import known_section
from badges_plugin.distribution.retry import RetryPolicy
from badges_plugin.setting_values import MAX_DAYS, days_to_keep, flag

# Seconds between the latest end of a request and the end of its claim: clocks differ, and threads are delayed.
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
# Keeps `now + seconds` within datetime's range.
_MAX_SECONDS = MAX_DAYS * 86_400.0
# Where not every number from 0 up makes sense: a request takes some time, delays must not shrink to nothing, and jitter
# must not make them negative.
_BOUNDS = {
    "request_timeout": (0.1, _MAX_SECONDS),
    "retry_factor": (1, math.inf),
    "retry_jitter": (0, 1),
    "retry_breaker_threshold": (1, math.inf),
}


@dataclass(frozen=True, slots=True)
class DistributionConfig:
    """The settings of deliveries. Seconds, unless the name says days.

    ``lease``: how long a worker may hold a delivery; then it counts as killed, and its badges are looked up at the
    provider. ``request_timeout``: the maximum duration of one request. The lease must be longer, by a margin.
    ``keep_...``: the worker deletes rows that are no longer needed after so many days; None is never.
    """

    lease: float
    request_timeout: float
    notify: bool
    keep_attempts_days: int | None
    keep_deliveries_days: int | None
    retry: RetryPolicy

    @property
    def time_to_send(self) -> float:
        """Seconds after the claim in which a request may begin, so that it ends before the claim does."""
        return self.lease - self.request_timeout - _MARGIN

    @property
    def time_to_end(self) -> float:
        """Seconds that a stopped worker waits for the requests in progress."""
        return self.request_timeout + _MARGIN


def config() -> DistributionConfig:
    """Return the settings of deliveries, with their defaults.

    .. setting_name: BADGES_CONFIG["distribution"]
    .. setting_default: {}
    .. setting_description: ``lease`` and ``request_timeout`` (seconds), ``notify`` (bool: notify learners by e-mail),
        ``keep_attempts_days`` and ``keep_deliveries_days`` (0: for ever), and ``retry_...`` for each field of
        ``badges_plugin.distribution.retry.RetryPolicy``.

    Raises ImproperlyConfigured, naming the key, when a value cannot be used.
    """
    values = known_section("distribution", _DEFAULTS, null="never")
    retry = {name.removeprefix("retry_"): _number(name, values[name]) for name in _RETRY_DEFAULTS}
    result = DistributionConfig(
        lease=_number("lease", values["lease"]),
        request_timeout=_number("request_timeout", values["request_timeout"]),
        notify=flag("distribution", "notify", values["notify"]),
        keep_attempts_days=days_to_keep("distribution", "keep_attempts_days", values["keep_attempts_days"]),
        keep_deliveries_days=days_to_keep("distribution", "keep_deliveries_days", values["keep_deliveries_days"]),
        retry=RetryPolicy(**{**retry, "breaker_threshold": int(retry["breaker_threshold"])}),  # type: ignore[arg-type]
    )
    if result.time_to_send <= 0:
        raise ImproperlyConfigured(
            f'BADGES_CONFIG["distribution"]: lease ({result.lease:g}) must be longer than request_timeout '
            f"({result.request_timeout:g}) by more than {_MARGIN:g} seconds, or a worker could still be sending what "
            "another has claimed."
        )
    return result


def _number(name: str, value: object) -> float:
    least, most = _BOUNDS.get(name, (0, _MAX_SECONDS))
    is_finite = isinstance(value, int | float) and math.isfinite(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_finite or not least <= value <= most:
        wanted = f"a number from {least:g} to {most:.10g}" if most < math.inf else f"a number, {least:g} or more"
        raise ImproperlyConfigured(f'BADGES_CONFIG["distribution"]["{name}"] must be {wanted}, not {value!r}.')
    return float(value)
