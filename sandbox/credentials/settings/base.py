"""Settings common to all deployments of the service.

The order is the service's own. Hooks of type ``base`` run before the defaults for badges and for the event
bus are set, so what such a hook puts into ``BADGES_*`` or ``EVENT_BUS_*`` is lost.
"""

from __future__ import annotations

import json
import os
from typing import Any

from credentials.apps.plugins.constants import PROJECT_TYPE, SettingsType
from edx_django_utils.plugins import add_plugins, get_plugin_apps

# Which release the stand-in takes after, where releases differ. "redwood": no built-in badges app, no badges
# settings, and plugin hooks of type "production" run after the operator's configuration instead of before it.
BEFORE_SUMAC = os.environ.get("CREDENTIALS_STANDIN_RELEASE", "verawood") in {"quince", "redwood"}

SECRET_KEY = os.environ.get("CREDENTIALS_SECRET_KEY", "insecure-secret-key")
DEBUG = False
ALLOWED_HOSTS: list[str] = []
SITE_ID = 1

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.sites",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "waffle",
    "openedx_events",
    "credentials.apps.catalog",
    "credentials.apps.core",
    "credentials.apps.credentials",
    "credentials.apps.plugins",
]
if not BEFORE_SUMAC:
    INSTALLED_APPS.append("credentials.apps.badges")

MIDDLEWARE = (
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "edx_rest_framework_extensions.auth.jwt.middleware.JwtAuthCookieMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.sites.middleware.CurrentSiteMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "edx_rest_framework_extensions.auth.jwt.middleware.EnsureJWTAuthSettingsMiddleware",
    "crum.CurrentRequestUserMiddleware",
)

ROOT_URLCONF = "credentials.urls"
WSGI_APPLICATION = "credentials.wsgi.application"

# A placeholder, as in the service: the operator has to say which database.
DATABASES: dict[str, dict[str, Any]] = {"default": {"ENGINE": "django.db.backends."}}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
AUTH_USER_MODEL = "core.User"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
# Where people sign in and out: in the service with their account of the LMS, here with a password.
LOGIN_URL = "/login/"
LOGOUT_URL = "/logout/"
SESSION_COOKIE_NAME = "credentials_sessionid"
CSRF_COOKIE_NAME = "credentials_csrftoken"
LANGUAGE_COOKIE_NAME = "credentials_language"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [],
        "OPTIONS": {
            "context_processors": [
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.DjangoModelPermissions"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
}

# The public key of the LMS, whose private part is among the tests (tests/web/lms_key.pem).
LMS_KEY = (
    "04fIfcVS1IHvHltN69NdFvgxBu1IUnQWUEaOTEAli-"
    "LAr6uciW6eKM3E0mE7WeYXwsthodJJ94OO9neRQ1I32jskrw0Z_R_xlie6NNOgDe4TtwZG4K5xRKrrN2oXS-MopMgrdwQ7CNFUCc"
    "ul6dWxFvtZfEmX9GYCwcdzmIbODkIzS8cKRSwpISnqFCN3WoufcjEOf4azmmp9UZhlKgjVoZyDRAa5UsIS6vuxgF2Bky3ziqdTX0"
    "yGli7zfl90wJ6KyeQXrTGduwTNnMymkHmgQSDx4ocC43diQpBS1GqWhGWVghatqGK4UN6RXy9SpIZnEDEInZvUFx4g1m5j4S8NUQ"
)
# Tokens of the LMS: in a header, or in the two cookies that it shares with this service.
JWT_AUTH: dict[str, Any] = {
    "JWT_ISSUERS": [{"ISSUER": "http://lms.test/oauth2", "AUDIENCE": "openedx", "SECRET_KEY": SECRET_KEY}],
    "JWT_ALGORITHM": "HS256",
    "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps({"keys": [{"kty": "RSA", "e": "AQAB", "n": LMS_KEY}]}),
    "JWT_PAYLOAD_GET_USERNAME_HANDLER": lambda claims: claims.get("preferred_username"),
    "JWT_DECODE_HANDLER": "edx_rest_framework_extensions.auth.jwt.decoder.jwt_decode_handler",
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    "JWT_AUTH_COOKIE": "edx-jwt-cookie",
    "JWT_AUTH_COOKIE_HEADER_PAYLOAD": "edx-jwt-cookie-header-payload",
    "JWT_AUTH_COOKIE_SIGNATURE": "edx-jwt-cookie-signature",
}
EDX_DRF_EXTENSIONS = {
    "JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {
        "administrator": "is_staff",
        "email": "email",
        "full_name": "full_name",
        "user_id": "lms_user_id",
    },
    "ENABLE_SET_REQUEST_USER_FOR_JWT_COOKIE": True,
}

# Django apps of plugins, and their settings. What follows below is set after them.
INSTALLED_APPS.extend(get_plugin_apps(PROJECT_TYPE))
add_plugins(__name__, PROJECT_TYPE, SettingsType.BASE)

if not BEFORE_SUMAC:
    BADGES_ENABLED = False
    BADGES_CONFIG: dict[str, Any] = {
        "events": [
            "org.openedx.learning.course.passing.status.updated.v1",
            "org.openedx.learning.ccx.course.passing.status.updated.v1",
        ],
        "credly": {
            "CREDLY_BASE_URL": "https://credly.com/",
            "CREDLY_API_BASE_URL": "https://api.credly.com/v1/",
            "CREDLY_SANDBOX_BASE_URL": "https://sandbox.credly.com/",
            "CREDLY_SANDBOX_API_BASE_URL": "https://sandbox-api.credly.com/v1/",
            "USE_SANDBOX": False,
        },
        "accredible": {
            "ACCREDIBLE_BASE_URL": "https://dashboard.accredible.com/",
            "ACCREDIBLE_API_BASE_URL": "https://api.accredible.com/v1/",
            "ACCREDIBLE_SANDBOX_BASE_URL": "https://sandbox.dashboard.accredible.com/",
            "ACCREDIBLE_SANDBOX_API_BASE_URL": "https://sandbox.api.accredible.com/v1/",
            "USE_SANDBOX": False,
        },
        "rules": {
            "ignored_keypaths": [
                "user.id",
                "user.is_active",
                "user.pii.username",
                "user.pii.email",
                "user.pii.name",
                "course.display_name",
                "course.start",
                "course.end",
            ],
        },
    }

EVENT_BUS_PRODUCER = "edx_event_bus_redis.create_producer"
EVENT_BUS_CONSUMER = "edx_event_bus_redis.RedisEventConsumer"
EVENT_BUS_REDIS_CONNECTION_URL = "redis://:password@edx.devstack.redis:6379/"
EVENT_BUS_TOPIC_PREFIX = "dev"
EVENT_BUS_PRODUCER_CONFIG: dict[str, dict[str, dict[str, Any]]] = {}
if not BEFORE_SUMAC:
    # "enabled" is fixed here, while BADGES_ENABLED is still False: an operator who switches badges on later
    # does not switch these on.
    EVENT_BUS_PRODUCER_CONFIG.update(
        {
            event_type: {"learning-badges-lifecycle": {"event_key_field": "badge.uuid", "enabled": BADGES_ENABLED}}
            for event_type in (
                "org.openedx.learning.badge.awarded.v1",
                "org.openedx.learning.badge.revoked.v1",
            )
        }
    )
