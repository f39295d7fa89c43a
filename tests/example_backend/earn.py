"""A learner passes a course: run by the test in a process of its own, as the bus consumer would."""

from __future__ import annotations

import django


def main() -> None:
    """Set a medal up and send the event, as it comes from the bus."""
    from django.contrib.sites.models import Site
    from openedx_events.learning.signals import COURSE_PASSING_STATUS_UPDATED

    from badges_plugin import api
    from medals.models import MedalTemplate
    from tests.factories import passing_data, requires_course, user_data

    site = Site.objects.get_or_create(domain="example.org", name="example")[0]
    template = MedalTemplate.objects.create(name="Hero", medal_name="hero", site=site)
    requires_course(template)
    api.activate_template(template)
    passed = passing_data(user_data(email="nia@example.org"))
    COURSE_PASSING_STATUS_UPDATED.send_event(send_robust=False, course_passing_status=passed)


if __name__ == "__main__":
    django.setup()
    main()
