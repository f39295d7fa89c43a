"""Texts for generated tables: meanings of settings and names of parts. Names and defaults come from the code."""

from __future__ import annotations

# What other packages may import, and the name of its part of the reference.
PUBLIC_MODULES = {
    "badges_plugin.api": "core",
    "badges_plugin.reading": "reading",
    "badges_plugin.distribution.api": "backends",
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

# The parts of the reference of admin pages, by app.
ADMIN_SECTIONS = {
    "badges_plugin": "Badges and learners",
    "badges_distribution": "Deliveries",
    "credly_badges": "Credly",
    "accredible_badges": "Accredible",
    "open_badges": "Open Badges of this site",
    "badges_web": "E-mails and pages",
}

# What each page of the admin is for.
ADMIN_PAGES = {
    "badges_plugin.BadgeTemplate": (
        "The badges of this site, which have no provider. Those of providers have pages of their own, with the same"
        " requirements and penalties."
    ),
    "badges_plugin.BadgeRequirement": (
        "All requirements of all badges, row by row. Most are edited on the page of their badge."
    ),
    "badges_plugin.RequirementGroup": "Groups of requirements, and how many of each group are needed.",
    "badges_plugin.BadgePenalty": "All penalties of all badges.",
    "badges_plugin.BadgeProgress": (
        "How far each learner is with each badge, and what is missing. Not edited: it follows from events."
    ),
    "badges_plugin.BadgeAward": "Who was awarded which badge, from which events, and how it ended.",
    "badges_plugin.FailedEvent": (
        "Messages of the event bus that could not be applied, or cannot be applied yet, with the reason."
    ),
    "badges_distribution.Delivery": (
        "What is sent to providers: each with its state, its attempts and what staff decided."
    ),
    "badges_distribution.Channel": "The connection to each account at a provider: open, resting or paused.",
    "credly_badges.CredlyOrganization": "Organizations at Credly, with their API keys. Saving one checks the key.",
    "credly_badges.CredlyBadgeTemplate": (
        "Badge templates that came from Credly. What Credly decides on cannot be edited here."
    ),
    "credly_badges.CredlyBadge": (
        "The badges of learners as they are at Credly: whether they were accepted, with Credly's id."
    ),
    "accredible_badges.AccredibleApiConfig": "API keys at Accredible. Saving one checks the key.",
    "accredible_badges.AccredibleGroup": "Groups at Accredible, which are badge templates here.",
    "accredible_badges.AccredibleBadge": "The credentials of learners as they are at Accredible.",
    "open_badges.IssuerProfile": (
        "Who signs the badges of a site, with the public address that stands in every badge."
    ),
    "open_badges.SigningKey": (
        "The keys that sign. They are made by themselves and rotated by ``badges_rotate_keys``."
    ),
    "open_badges.SignedBadge": "What was signed, for whom, and whether it still holds.",
    "badges_web.MailNote": "E-mails to learners: what was sent, what waits, and what failed.",
    "badges_web.MailText": "What a site says in e-mails in its own words (:doc:`/howto/mails`).",
    "badges_web.Collection": (
        "Pages on which learners show their badges. Staff can hide one, with a reason that its learner reads."
    ),
}

# The pages of badges beside those of tables, by the names of their URLs.
DESK_PAGES = {
    "desk_find": "finds a badge or a learner",
    "desk_learners": "finds a learner by name or e-mail address",
    "desk_learner": "everything about one learner (:doc:`/howto/find-out-why`)",
    "desk_award": "the story of one award",
    "desk_new_badge": "the form of a new badge (:doc:`/howto/set-up-a-badge`)",
    "desk_choices": "the choices of that form, for its search fields",
    "desk_badge": "one badge: what it asks for, how far learners are, and what can be done",
    "desk_change_badge": "the form of a badge",
    "desk_copy_badge": "copies a badge",
    "desk_activate_badge": "activates a badge, or says why not",
    "desk_catch_up": "who has done everything and never got a badge that is active, and gives it to them",
    "desk_deactivate_badge": "deactivates a badge",
    "desk_export_holders": "who holds a badge, as a file",
    "desk_give": "gives a badge by hand (:doc:`/howto/award-by-hand`)",
    "desk_gift_lists": "lists of learners to whom badges were given by hand",
    "desk_gift_list": "one such list",
    "desk_gift_list_undo": "takes back what a list gave",
    "desk_try": "what an event would do (:doc:`/howto/try-a-badge`)",
    "desk_history": "who changed a badge (:doc:`history`)",
    "desk_deleted_badges": "badges that were deleted",
    "desk_running": "consumers and workers: which run, and how far events are behind (:doc:`/howto/monitor`)",
    "desk_numbers": "how badges are doing (:doc:`/howto/see-how-badges-are-doing`)",
    "desk_export_numbers": "the same, as a file",
    "desk_badge_numbers": "how one badge is doing",
}
