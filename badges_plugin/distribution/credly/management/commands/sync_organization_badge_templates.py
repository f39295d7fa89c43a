"""``manage.py sync_organization_badge_templates``: the specification's name for ``sync_credly_badge_templates``.

From Sumac on the host's built-in app has a command of this name, and Django prefers it: the other name always works.
"""

from __future__ import annotations

from badges_plugin.distribution.credly.management.commands.sync_credly_badge_templates import Command

__all__ = ["Command"]
