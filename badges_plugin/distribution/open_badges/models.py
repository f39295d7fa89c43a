"""Issuers, their keys and status lists, the badges they signed, and what a badge says beyond its template."""

from __future__ import annotations

import secrets
import uuid

from django.contrib.sites.models import Site
from django.core.validators import MinLengthValidator, URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from badges_plugin.distribution.api import BadgeAward, BadgeTemplate
from badges_plugin.distribution.open_badges import addresses

SLUG = "open_badges"

_web_address = URLValidator(schemes=["http", "https"])
_MAX_URL = 500


def new_salt() -> str:
    """Return the salt of one badge's hashed e-mail address."""
    return secrets.token_hex(16)


def new_seed() -> str:
    """Return what the order of the indices of one status list is made of."""
    return secrets.token_hex(32)


class IssuerProfile(models.Model):
    """Who signs the badges of a site: its name, and the address below which everything that is signed can be found.

    .. no_pii: The e-mail address is that of the organization.
    """

    # Its key is that of the site, so that no award has to look for it.
    site = models.OneToOneField(
        Site, on_delete=models.PROTECT, primary_key=True, related_name="+", verbose_name=_("site")
    )
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=255, help_text=_("The organization that badges are issued by."))
    url = models.CharField(
        _("website"), max_length=_MAX_URL, validators=[_web_address], help_text=_("Where people learn more about it.")
    )
    base_url = models.CharField(
        _("base URL"),
        max_length=_MAX_URL,
        validators=[_web_address],
        help_text=_(
            "The public URL of the Credentials service, such as https://credentials.example.org. It stands in every "
            "badge that is signed from now on. Badges that were signed keep their addresses, so these must still lead "
            "here."
        ),
    )
    email = models.EmailField(_("e-mail address"), blank=True, help_text=_("For questions about badges. Public."))
    description = models.TextField(_("description"), blank=True)
    image_url = models.CharField(
        _("logo"), max_length=_MAX_URL, blank=True, validators=[_web_address], help_text=_("URL of an image. Public.")
    )

    class Meta:
        verbose_name = _("issuer profile")
        verbose_name_plural = _("issuer profiles")

    def __str__(self) -> str:
        return self.name

    @property
    def did(self) -> str:
        """The id of the issuer in everything that it signs."""
        return addresses.did(self.base_url, self.uuid)


class SigningKey(models.Model):
    """A pair of keys of an issuer: Ed25519 for embedded proofs, P-256 for tokens.

    The key with the highest number signs; the others still verify what they signed, unless they are retired. The
    private parts are encrypted together; the public ones are as they are published.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    issuer = models.ForeignKey(
        IssuerProfile, on_delete=models.PROTECT, related_name="keys", verbose_name=_("issuer profile")
    )
    number = models.PositiveIntegerField(_("number"))
    encrypted_private = models.TextField(editable=False, help_text=_("Empty once the key is retired."))
    public_ed25519 = models.CharField(_("public key (Ed25519)"), max_length=64)
    public_p256 = models.TextField(_("public key (P-256)"), help_text=_("In PEM."))
    created = models.DateTimeField(_("created"), default=timezone.now)
    retired_at = models.DateTimeField(
        _("retired"), null=True, blank=True, help_text=_("Nothing that it signed counts any more.")
    )

    class Meta:
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")
        constraints = [models.UniqueConstraint(fields=("issuer", "number"), name="open_badges_key_number")]

    def __str__(self) -> str:
        return f"{self.issuer_id} #{self.number}"


class StatusList(models.Model):
    """A list of bits, one for each badge that refers to it: set if the badge is revoked.

    ``reserved`` indices are taken, in an order that the seed determines; ``signed`` is the list as it is published.
    ``base_url`` is that of the issuer when the list was made: its badges name the list's address, whatever it is later.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, editable=False)
    issuer = models.ForeignKey(
        IssuerProfile, on_delete=models.PROTECT, related_name="status_lists", verbose_name=_("issuer profile")
    )
    base_url = models.CharField(_("base URL"), max_length=_MAX_URL)
    seed = models.CharField(max_length=64, default=new_seed, editable=False, validators=[MinLengthValidator(64)])
    reserved = models.PositiveIntegerField(_("reserved"), default=0)
    signed = models.TextField(blank=True, editable=False)
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)
    key = models.ForeignKey(
        SigningKey, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("signing key")
    )

    class Meta:
        verbose_name = _("status list")
        verbose_name_plural = _("status lists")

    def __str__(self) -> str:
        return str(self.uuid)


class BadgeStatus(models.TextChoices):
    """What the status list says of a badge. The values are stored; never change one."""

    VALID = "valid", _("valid")
    REVOKED = "revoked", _("revoked")


class SignedBadge(models.Model):
    """An award as an Open Badge: reserved before it is signed, and kept as it was signed.

    ``is_listed`` is false from a revocation until the status list says so. Of an erased learner only the identifier and
    the state are left, so that the public address says that the badge is gone.

    .. pii: The signed document: a salted hash of the learner's e-mail address, what they did for the badge and when,
        and perhaps a grade.
    .. pii_types: email_address, other
    .. pii_retirement: local_api
    """

    id = models.BigAutoField(primary_key=True)
    award = models.OneToOneField(BadgeAward, on_delete=models.CASCADE, related_name="+", verbose_name=_("award"))
    uuid = models.UUIDField(_("UUID"), unique=True, default=uuid.uuid4, editable=False)
    salt = models.CharField(max_length=64, blank=True, default=new_salt, editable=False)
    url = models.CharField(_("address"), max_length=_MAX_URL)
    document = models.TextField(_("document"), blank=True, default="", editable=False)
    jwt = models.TextField(_("token"), blank=True, default="", editable=False)
    status_list = models.ForeignKey(
        StatusList, on_delete=models.PROTECT, related_name="badges", verbose_name=_("status list")
    )
    status_index = models.PositiveIntegerField(_("index"))
    status = models.CharField(_("state"), max_length=8, choices=BadgeStatus.choices, default=BadgeStatus.VALID)
    is_listed = models.BooleanField(default=True, editable=False)
    key = models.ForeignKey(
        SigningKey, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("signing key")
    )
    signed_at = models.DateTimeField(_("signed"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True)

    class Meta:
        verbose_name = _("signed badge")
        verbose_name_plural = _("signed badges")
        constraints = [
            models.UniqueConstraint(fields=("status_list", "status_index"), name="open_badges_status_index"),
        ]
        indexes = [
            models.Index(fields=("is_listed", "status_list"), name="open_badges_unlisted"),
            models.Index(fields=("status",), name="open_badges_status"),
            models.Index(fields=("key", "id"), name="open_badges_by_key"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


class AchievementType(models.TextChoices):
    """The kinds of achievements that staff choose from: a selection of those of Open Badges 3.0.

    https://www.imsglobal.org/spec/ob/v3p0/#achievementtype-enumeration
    """

    BADGE = "Badge", _("badge")
    ACHIEVEMENT = "Achievement", _("achievement")
    ASSESSMENT = "Assessment", _("assessment")
    ASSIGNMENT = "Assignment", _("assignment")
    AWARD = "Award", _("award")
    CERTIFICATE = "Certificate", _("certificate")
    CERTIFICATE_OF_COMPLETION = "CertificateOfCompletion", _("certificate of completion")
    CERTIFICATION = "Certification", _("certification")
    COMMUNITY_SERVICE = "CommunityService", _("community service")
    COMPETENCY = "Competency", _("competency")
    COURSE = "Course", _("course")
    LEARNING_PROGRAM = "LearningProgram", _("learning program")
    LICENSE = "License", _("license")
    MEMBERSHIP = "Membership", _("membership")
    MICRO_CREDENTIAL = "MicroCredential", _("microcredential")


class AchievementDetails(models.Model):
    """What signed badges of a template say beyond what the template itself knows.

    .. no_pii: This model has no PII.
    """

    template = models.OneToOneField(
        BadgeTemplate, on_delete=models.CASCADE, primary_key=True, related_name="open_badges_details"
    )
    achievement_type = models.CharField(
        _("kind of achievement"), max_length=32, choices=AchievementType.choices, default=AchievementType.BADGE
    )
    tags = models.CharField(
        _("tags"), max_length=1000, blank=True, help_text=_("Words by which others find the badge, with commas.")
    )

    class Meta:
        verbose_name = _("Open Badges details")
        verbose_name_plural = _("Open Badges details")

    def __str__(self) -> str:
        return str(self.template_id)

    @property
    def tag_list(self) -> tuple[str, ...]:
        """The tags, each once."""
        return tuple(dict.fromkeys(tag for part in self.tags.split(",") if (tag := " ".join(part.split()))))


class AlignmentType(models.TextChoices):
    """The kinds of targets that staff choose from.

    https://www.imsglobal.org/spec/ob/v3p0/#alignmenttargettype-enumeration
    """

    UNSPECIFIED = "", _("not specified")
    COMPETENCY = "ceasn:Competency", _("competency (CTDL-ASN)")
    CREDENTIAL = "ceterms:Credential", _("credential (CTDL)")
    CASE_ITEM = "CFItem", _("item of a CASE framework")
    ESCO_SKILL = "ext:ESCOSkill", _("ESCO skill")
    ESCO_OCCUPATION = "ext:ESCOOccupation", _("ESCO occupation")


class BadgeAlignment(models.Model):
    """A skill, occupation or standard elsewhere that a badge corresponds to.

    .. no_pii: This model has no PII.
    """

    id = models.BigAutoField(primary_key=True)
    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="open_badges_alignments", verbose_name=_("badge template")
    )
    name = models.CharField(_("name"), max_length=255)
    url = models.CharField(_("URL"), max_length=_MAX_URL, validators=[_web_address])
    framework = models.CharField(_("framework"), max_length=255, blank=True, help_text=_("Such as ESCO or e-CF."))
    code = models.CharField(_("code"), max_length=255, blank=True, help_text=_("Its code in the framework."))
    type = models.CharField(
        _("type"), max_length=32, blank=True, choices=AlignmentType.choices, default=AlignmentType.UNSPECIFIED
    )

    class Meta:
        verbose_name = _("alignment")
        verbose_name_plural = _("alignments")

    def __str__(self) -> str:
        return self.name
