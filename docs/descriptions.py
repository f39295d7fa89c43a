"""Texts for generated tables: meanings of settings and purposes of modules. Names and defaults come from the code."""

from __future__ import annotations

PUBLIC_MODULES = {
    "badges_plugin.api": "change badges, and apply events, from code in the same process.",
    "badges_plugin.reading": "read what learners have and lack, and what a badge asks for.",
    "badges_plugin.distribution.api": "write a distribution backend.",
}

CONSUMER = {
    "batch_size": "Maximum number of events that are applied together, from 1 to 1000.",
    "batch_milliseconds": (
        "How long to wait for more events once one has come, from 0 to 1000. An event that comes alone is delayed by as"
        " much. Milliseconds."
    ),
    "poll_timeout": "Maximum wait for a message, and so for noticing a stop signal. Seconds.",
    "patience": (
        "How long to wait for a database, schema registry or Redis that is down. Then the process ends with an exit"
        " code other than 0, and the event is delivered again. Seconds."
    ),
    "max_backoff": "Maximum pause between two attempts while something is down. Seconds.",
    "session_timeout": "Kafka: after this silence, the broker gives the consumer's partitions to others. Seconds.",
    "offset_reset": 'Kafka: where a group without an offset starts: ``"earliest"`` or ``"latest"``.',
    "commit_interval": "Kafka: how often the offsets of applied events are committed. Seconds.",
    "claim_idle": (
        "Redis: how long an event may stay unacknowledged before another consumer takes it over. Must exceed the few"
        " seconds that a batch may take. Seconds."
    ),
    "forget_idle": (
        "Redis: how long a consumer with no pending events may be silent before its name is removed from its group."
        " Seconds."
    ),
    "lag_interval": "How often the lag is logged and reported. Seconds.",
    "kafka": "Kafka: further properties of librdkafka. They override all others.",
}

DISTRIBUTION = {
    "lease": (
        "How long a worker may hold a delivery. After that, the worker is considered dead, and the delivery is looked"
        " up at the provider. Must exceed ``request_timeout`` by more than 5 seconds. Seconds."
    ),
    "request_timeout": "Maximum duration of one request to a provider, including its whole reply. Seconds.",
    "notify": (
        "Whether to notify learners of issued and revoked badges by e-mail, through edx-ace if the service has"
        " configured it, otherwise by Django's mail."
    ),
    "keep_attempts_days": "How long attempts are kept. Days; 0: forever.",
    "keep_deliveries_days": "How long settled deliveries of revoked awards are kept. Days; 0: forever.",
    "retry_first": "The pause after the first transient failure. Seconds.",
    "retry_factor": "The factor by which each further pause is longer.",
    "retry_cap": "Maximum pause. Seconds.",
    "retry_jitter": "The random share that is added to or subtracted from a pause, so that retries spread out.",
    "retry_settle": "A request with an unknown outcome is not looked up before this time has passed. Seconds.",
    "retry_throttled": "How long an account rests if the provider asks for it without saying how long. Seconds.",
    "retry_longest_wish": "Maximum ``Retry-After`` that is honored. Seconds.",
    "retry_breaker_threshold": "The number of failures in a row after which an account rests.",
    "retry_breaker_first": (
        "The first rest of an account. Each further failure makes it longer by ``retry_factor``. Seconds."
    ),
    "retry_breaker_cap": "Maximum rest. Seconds.",
}

CREDLY = {
    "CREDLY_BASE_URL": "Credly's web site. Checked; no request goes there.",
    "CREDLY_API_BASE_URL": "Credly's API.",
    "CREDLY_SANDBOX_BASE_URL": "The web site of Credly's sandbox.",
    "CREDLY_SANDBOX_API_BASE_URL": "The API of Credly's sandbox.",
    "USE_SANDBOX": "Whether to use Credly's sandbox.",
    "ORGANIZATIONS": "API keys by organization id (a UUID). They override keys entered in the admin.",
    "LOCALE": "Language of Credly's e-mails, such as ``fr``. Empty: Credly decides.",
    "SUPPRESS_ISSUE_EMAIL": "Whether Credly should not e-mail the learner about a new badge.",
    "SUPPRESS_REVOKE_EMAIL": "Whether Credly should not e-mail the learner about a revoked badge.",
    "REQUESTS_PER_MINUTE": "Rate limit of all workers together for each organization. ``None``: no limit.",
    "WEBHOOK_SECRET": "The last part of the webhook's URL. Empty: the URL has no such part.",
}

OPEN_BADGES = {
    "enabled": (
        "Whether this site signs the badges that are its own, which have no provider. Badges of providers are signed"
        " where the page of their template says so."
    ),
    "base_url": (
        "The public URL of the Credentials service, for new issuer profiles. Empty: ``https://`` and the domain of the"
        " site. A profile that exists is changed in the admin."
    ),
}

ACCREDIBLE = {
    "ACCREDIBLE_BASE_URL": "Accredible's web site. Checked; no request goes there.",
    "ACCREDIBLE_API_BASE_URL": "Accredible's API. Both of its versions are used, whichever the URL names.",
    "ACCREDIBLE_EU_API_BASE_URL": "The API for accounts in the European Union.",
    "ACCREDIBLE_SANDBOX_BASE_URL": "The web site of Accredible's sandbox.",
    "ACCREDIBLE_SANDBOX_API_BASE_URL": "The API of Accredible's sandbox.",
    "USE_EU": (
        "Whether the accounts are in the European Union. Not together with ``USE_SANDBOX``: all accounts share one"
        " sandbox."
    ),
    "USE_SANDBOX": "Whether to use Accredible's sandbox.",
    "API_KEYS": "API keys by the name of the API configuration. They override keys entered in the admin.",
    "REQUESTS_PER_MINUTE": (
        "Rate limit of all workers together. Accredible allows 400 requests a minute per IP address. ``0``: no limit."
    ),
    "BULK_SIZE": (
        "Credentials in one request while many are waiting, at most 30. ``1``: each credential is issued by itself."
    ),
}
