"""How a consumer runs and ends, the same for both buses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from django.core.exceptions import ImproperlyConfigured

from badges_plugin.consumers.exceptions import CannotGoOn, Stopped, UnusableOption
from badges_plugin.consumers.stopping import StopRequest
from badges_plugin.logs import get_logger
from badges_plugin.redaction import describe_with_traceback

logger = get_logger(__name__)

# consume_events turns every Exception into exit code 0, and a supervisor then believes that all went well.
FAILURE = 1


def run_until_stopped(
    consume: Callable[[], None], stop: StopRequest, extra: Mapping[str, object], *, accepted: Collection[str]
) -> None:
    """Run ``consume`` until a stop signal; return after a clean end.

    ``extra`` is what consume_events was given with --extra, ``accepted`` what the consumer knows of it. Raises
    SystemExit with a code other than 0 when it cannot start or go on; the log says why, and names no learner.
    """
    unknown = sorted(set(extra) - set(accepted))
    if unknown:
        known = ", ".join(sorted(accepted)) or "no options"
        logger.critical("Unknown in --extra: %s. This consumer takes %s.", ", ".join(unknown), known)
        raise SystemExit(FAILURE)
    try:
        with stop.on_signals():
            consume()
    except Stopped as stopped:
        logger.warning("%s; it is not acknowledged and will be delivered again.", stopped)
    except UnusableOption as error:
        logger.critical("Not usable in --extra: %s", error)
        raise SystemExit(FAILURE) from error
    except (CannotGoOn, ImproperlyConfigured, ImportError) as error:
        logger.critical("Ending, with the event in work not acknowledged: %s", error)
        raise SystemExit(FAILURE) from error
    except Exception as error:
        logger.critical("Ending, with the event in work not acknowledged: %s", describe_with_traceback(error))
        raise SystemExit(FAILURE) from error
