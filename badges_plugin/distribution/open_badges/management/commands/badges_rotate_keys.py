"""``manage.py badges_rotate_keys``: sign with a new key from now on, and retire one that somebody else may have."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from badges_plugin.command_line import BadgesCommand, text
from badges_plugin.distribution.open_badges import keys, rotating
from badges_plugin.distribution.open_badges.models import IssuerProfile, SigningKey


class Command(BadgesCommand):
    help = (
        "Make a new signing key for each issuer of Open Badges. Badges that were signed stay valid: the earlier keys "
        "still verify them. With --retire, a key that somebody else may have verifies nothing any more, and everything "
        "that it signed is signed again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", type=text, metavar="DOMAIN", help="Only the issuer of this site.")
        parser.add_argument(
            "--retire",
            type=int,
            metavar="NUMBER",
            help="Retire this key and sign its badges again with the newest key, which is made if there is none. "
            "Can be interrupted and run again.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.require_enabled()
        for profile in self._profiles(options["site"], is_one=options["retire"] is not None):
            if options["retire"] is None:
                row = keys.rotate(profile)
                self.stdout.write(f"{profile.site.domain} signs with key {row.number} from now on.")
            else:
                self._retire(profile, options["retire"])

    def _profiles(self, domain: str | None, *, is_one: bool) -> list[IssuerProfile]:
        found = IssuerProfile.objects.select_related("site").order_by("pk")
        profiles = list(found.filter(site__domain=domain) if domain else found)
        if not profiles:
            raise CommandError("There is no such issuer." if domain else "Nothing was signed yet: there is no issuer.")
        if is_one and len(profiles) > 1:
            raise CommandError("There are several issuers. Name one with --site.")
        return profiles

    def _retire(self, profile: IssuerProfile, number: int) -> None:
        row = SigningKey.objects.filter(issuer=profile, number=number).first()
        if row is None:
            raise CommandError(f"{profile.site.domain} has no key {number}.")
        newest = rotating.retire(row)
        self.stdout.write(f"Key {number} of {profile.site.domain} is retired. Key {newest.number} signs from now on.")
        done = 0
        for count in rotating.sign_again(row):
            done += count
            self.stdout.write(f"{done} badges were signed again.")
        if not done:
            self.stdout.write("No badge is left that it signed.")
