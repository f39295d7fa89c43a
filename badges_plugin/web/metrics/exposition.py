"""The numbers as prometheus_client writes them. The only module that imports it."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import Error, transaction
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from badges_plugin.logs import get_logger
from badges_plugin.web.metrics.numbers import COUNTERS, NUMBERS, PARTS, Sample

logger = get_logger(__name__)


def exposition(accept: str) -> tuple[bytes, str]:
    """Return the numbers of now and their content type, in the form that the header ``Accept`` asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Numbers(Collector):
    """Reads when it is asked. What cannot be read is left out, and ``badges_metrics_part_read`` says so."""

    def collect(self) -> Iterator[Metric]:
        samples: list[Sample] = []
        now = timezone.now()
        for part, read in PARTS.items():
            try:
                with transaction.atomic():
                    found = list(read(now))
            except Error:
                logger.warning("The metrics are without those of %s.", part, exc_info=True)
                found = []
                samples.append(Sample("badges_metrics_part_read", 0, (part,)))
            else:
                samples.append(Sample("badges_metrics_part_read", 1, (part,)))
            samples += found
        for name, number in NUMBERS.items():
            family = CounterMetricFamily if name in COUNTERS else GaugeMetricFamily
            metric = family(name, number.help, labels=number.labels)
            for sample in samples:
                if sample.name == name:
                    metric.add_metric([*sample.labels], sample.value)
            yield metric
