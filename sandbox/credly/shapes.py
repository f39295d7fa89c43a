"""Records as the service sends them. Pure: whatever a reply needs is an argument.

https://www.credly.com/docs/issued_badges, /badge_templates, /organizations, /webhooks
"""

import uuid

from sandbox.credly.records import ACCEPTED, Badge, Event, Json, Organization, Template


def organization(record: Organization) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "website_url": record.website_url,
        "webhook_url": record.webhook_url,
        "contact_email": record.contact_email,
        "vanity_url": _site(f"organizations/{record.vanity_slug}"),
        "vanity_slug": record.vanity_slug,
        "photo_url": record.photo_url,
        "verified": record.verified,
        "allowed_webhooks": record.allowed_webhooks or [],
    }


def owner(record: Organization) -> Json:
    return {
        "type": "Organization",
        "id": record.id,
        "name": record.name,
        "url": f"/organizations/{record.vanity_slug}",
        "vanity_url": _site(f"org/{record.vanity_slug}"),
        "vanity_slug": record.vanity_slug,
        "verified": record.verified,
    }


def template(record: Template, organization: Organization, *, badges_count: int) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "state": record.state,
        "public": record.public,
        "allow_duplicate_badges": record.allow_duplicate_badges,
        "global_activity_url": None,
        "level": None,
        "cost": None,
        "time_to_earn": None,
        "type_category": None,
        "badges_count": badges_count,
        "vanity_slug": record.vanity_slug,
        "image": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, record.image_url)), "url": record.image_url},
        "image_url": record.image_url,
        "url": _site(f"org/{record.vanity_slug}/badge/{record.id}"),
        "owner": owner(organization),
        "alignments": [],
        "recommendations": [],
        "required_badge_templates": [],
        "badge_template_activities": [],
        "skills": list(record.skills),
        "reporting_tags": list(record.reporting_tags),
        "default_expires_at_date": None,
        "default_expires_at_type": None,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "state_updated_at": record.state_updated_at,
    }


def badge(record: Badge, template: Template, organization: Organization, *, base_url: str) -> Json:
    """Return a badge of ``template``; ``base_url`` is that of the server, for the link to accept it."""
    return {
        "id": record.id,
        "state": record.state,
        "accept_badge_url": accept_url(record, base_url),
        "recipient_email": record.recipient_email,
        "issued_to": " ".join(
            part
            for part in (record.issued_to_first_name, record.issued_to_middle_name, record.issued_to_last_name)
            if part
        ),
        "issued_to_first_name": record.issued_to_first_name,
        "issued_to_middle_name": record.issued_to_middle_name,
        "issued_to_last_name": record.issued_to_last_name,
        "issuer_earner_id": record.issuer_earner_id,
        "locale": record.locale,
        "public": record.public,
        "issued_at": record.issued_at,
        "expires_at": record.expires_at,
        "created_at": record.created_at,
        "state_updated_at": record.state_updated_at,
        "revocation_reason": record.revocation_reason,
        "replacement_badge_id": record.replacement_badge_id,
        "replaces_badge_id": record.replaces_badge_id,
        "country_name": record.country_name,
        "state_or_province": record.state_or_province,
        "evidence": record.evidence,
        "image_url": template.image_url,
        "badge_template": _embedded_template(template),
        "user": _user(record),
        "issuer": {"summary": "issued by", "entities": [owner(organization)]},
    }


def event(record: Event) -> Json:
    """Return what the events endpoint sends. A webhook sends only ``event_reference``."""
    return {**event_reference(record), record.subject_type: record.subject}


def event_reference(record: Event) -> Json:
    return {
        "id": record.id,
        "organization_id": record.organization_id,
        "event_type": record.event_type,
        "occurred_at": record.occurred_at,
    }


def accept_url(record: Badge, base_url: str) -> str:
    return f"{base_url}/go/{record.accept_token}"


def _embedded_template(record: Template) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "description": record.description,
        "state": record.state,
        "image_url": record.image_url,
        "image": {"url": record.image_url},
        "vanity_slug": record.vanity_slug,
        "allow_duplicate_badges": record.allow_duplicate_badges,
    }


def _user(record: Badge) -> Json | None:
    """Return the Credly account of the earner. A pending badge has none yet."""
    if record.state != ACCEPTED:
        return None
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{record.recipient_email.casefold()}")),
        "email": record.recipient_email,
        "first_name": record.issued_to_first_name,
        "last_name": record.issued_to_last_name,
    }


def _site(path: str) -> str:
    return f"https://www.credly.example/{path}"
