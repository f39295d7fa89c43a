"""Texts for generated tables: meanings of settings and purposes of modules. Names and defaults come from the code."""

from __future__ import annotations

PUBLIC_MODULES = {
    "badges_plugin.api": "change badges, and apply events, from code in the same process.",
    "badges_plugin.reading": "read what learners have and lack, and what a badge asks for.",
    "badges_plugin.distribution.api": "write a distribution backend.",
}

CONSUMER = {
    "poll_timeout": "The longest wait for a message, and so for noticing a stop signal. Seconds.",
    "patience": (
        "How long a database, schema registry or Redis that is away is waited for. Then the process ends with"
        " an exit code other than 0, and the event is delivered again. Seconds."
    ),
    "max_backoff": "The longest pause between two attempts while something is away. Seconds.",
    "session_timeout": "Kafka: after this silence the broker gives the consumer's partitions to others. Seconds.",
    "offset_reset": 'Kafka: where a group starts that has no offset: ``"earliest"`` or ``"latest"``.',
    "commit_interval": "Kafka: how often the offsets of applied events are committed. Seconds.",
    "claim_idle": (
        "Redis: an event that another consumer took and did not acknowledge for this long is taken over. Seconds."
    ),
    "forget_idle": (
        "Redis: the name of a consumer that has nothing pending and was not heard of for this long is removed from its "
        "group. Seconds."
    ),
    "lag_interval": "How often the lag is logged and reported. Seconds.",
    "kafka": "Kafka: further properties of librdkafka. They win over all others.",
}

DISTRIBUTION = {
    "lease": (
        "How long a worker may hold a delivery. Then it counts as killed, and the delivery is looked up at "
        "the provider. Must be longer than ``request_timeout`` by more than 5 seconds. Seconds."
    ),
    "request_timeout": "The longest that one request to a provider may take, with the whole of its reply. Seconds.",
    "notify": (
        "Whether learners are told of issued and revoked badges by e-mail, through edx-ace where the service has set "
        "it up, and by Django's mail otherwise."
    ),
    "keep_attempts_days": "How long attempts are kept. Days; 0: for ever.",
    "keep_deliveries_days": "How long settled deliveries of revoked awards are kept. Days; 0: for ever.",
    "retry_first": "The pause after the first failure that time may cure. Seconds.",
    "retry_factor": "How much longer each further pause is.",
    "retry_cap": "The longest pause. Seconds.",
    "retry_jitter": "The share of a pause that chance adds or takes away, so that not all come back at once.",
    "retry_settle": "A request whose outcome is unknown is not looked up before this time has passed. Seconds.",
    "retry_throttled": "How long an account rests when the provider asks for it without saying how long. Seconds.",
    "retry_longest_wish": "The longest wish to wait (``Retry-After``) that is granted. Seconds.",
    "retry_breaker_threshold": "After so many failures in a row an account rests.",
    "retry_breaker_first": (
        "How long it rests then, for a start. Each further failure makes it longer by ``retry_factor``. Seconds."
    ),
    "retry_breaker_cap": "The longest such rest. Seconds.",
}

CREDLY = {
    "CREDLY_BASE_URL": "Credly's web site. Checked; no request goes there.",
    "CREDLY_API_BASE_URL": "Credly's API.",
    "CREDLY_SANDBOX_BASE_URL": "The same for Credly's sandbox.",
    "CREDLY_SANDBOX_API_BASE_URL": "The same for Credly's sandbox.",
    "USE_SANDBOX": "Whether to use Credly's sandbox.",
    "ORGANIZATIONS": "API keys by organization id (a UUID). They win over keys entered in the admin.",
    "LOCALE": "Language of Credly's e-mails, such as ``fr``. Empty: Credly decides.",
    "SUPPRESS_ISSUE_EMAIL": "Whether Credly should not write to the learner about a new badge.",
    "SUPPRESS_REVOKE_EMAIL": "Whether Credly should not write to the learner about a revoked badge.",
    "REQUESTS_PER_MINUTE": "The pace of each worker with each organization. ``None``: no limit.",
    "WEBHOOK_SECRET": "The last part of the webhook's address. Empty: the address has no such part.",
}

ACCREDIBLE = {
    "ACCREDIBLE_BASE_URL": "Accredible's web site. Checked; no request goes there.",
    "ACCREDIBLE_API_BASE_URL": "Accredible's API. Both of its versions are used, whichever the address names.",
    "ACCREDIBLE_EU_API_BASE_URL": "The same for accounts in the European Union.",
    "ACCREDIBLE_SANDBOX_BASE_URL": "The same for Accredible's sandbox.",
    "ACCREDIBLE_SANDBOX_API_BASE_URL": "The same for Accredible's sandbox.",
    "USE_EU": (
        "Whether the accounts are in the European Union. Not together with ``USE_SANDBOX``: there is one sandbox for"
        " all."
    ),
    "USE_SANDBOX": "Whether to use Accredible's sandbox.",
    "API_KEYS": "API keys by the name of the API configuration. They win over keys entered in the admin.",
    "REQUESTS_PER_MINUTE": (
        "The pace of each worker. Accredible allows 400 a minute to a network address: divide them among the workers"
        " that share one. ``0``: no limit."
    ),
}
