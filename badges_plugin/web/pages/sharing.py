"""Links to where learners show their badges: a LinkedIn profile, a wallet on the phone."""

from __future__ import annotations

import json
from datetime import datetime
from urllib.parse import quote, urlencode

from badges_plugin.times import site_day

_LINKEDIN = "https://www.linkedin.com/profile/add"
# https://github.com/digitalcredentials/learner-credential-wallet : a request that the app or its page takes.
_WALLET = "https://lcw.app/request"


def linkedin_url(
    *, name: str, organization: str, url: str, identity: str, earned_at: datetime, valid_until: datetime | None
) -> str:
    """Return the address that adds a badge to the profile of whoever opens it. LinkedIn knows months, not days."""
    earned = site_day(earned_at)
    values: dict[str, str | int] = {
        "startTask": "CERTIFICATION_NAME",
        "name": name,
        "organizationName": organization,
        "issueYear": earned.year,
        "issueMonth": earned.month,
    }
    if valid_until is not None:
        until = site_day(valid_until)
        values |= {"expirationYear": until.year, "expirationMonth": until.month}
    values |= {"certUrl": url, "certId": identity}
    return f"{_LINKEDIN}?{urlencode(values, quote_via=quote)}"


def wallet_url(*, exchange_url: str, origin: str) -> str:
    """Return the address that opens a wallet on this device and tells it where to fetch the badge."""
    request = {"credentialRequestOrigin": origin, "protocols": {"vcapi": exchange_url}}
    return f"{_WALLET}?{urlencode({'request': json.dumps(request)}, quote_via=quote)}"
