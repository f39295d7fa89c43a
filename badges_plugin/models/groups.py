"""Groups of requirements: alternatives, of which one is enough."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from badges_plugin.models.configuration import ConfigurationModel
from badges_plugin.models.records import Records
from badges_plugin.models.templates import BadgeTemplate
from badges_plugin.models.versions import RulesetVersion


class RequirementGroup(ConfigurationModel):
    """A group of a badge template's requirements. One without requirements asks for nothing.

    A row of its own, which requirements refer to: a name that is typed twice could be two groups by mistake, and
    alternatives would silently become conditions.

    .. no_pii: This model has no PII.
    """

    template_path = "template"

    template = models.ForeignKey(
        BadgeTemplate, on_delete=models.CASCADE, related_name="groups", verbose_name=_("badge template")
    )
    name = models.CharField(_("name"), max_length=255)
    # A digest, not the name: what databases take for equal (case, accents, blanks) differs, and not all of it fits.
    name_key = models.CharField(max_length=64, editable=False)
    needed = models.PositiveSmallIntegerField(
        _("how many are needed"),
        default=1,
        validators=[MinValueValidator(1)],
        help_text=_("How many different requirements of the group a learner must fulfill."),
    )
    position = models.PositiveSmallIntegerField(
        _("position"), default=0, help_text=_("Matters only where the badge template asks for its groups in order.")
    )

    history = Records(left_out=("name_key",))

    class Meta:
        verbose_name = _("requirement group")
        verbose_name_plural = _("requirement groups")
        constraints = [
            models.UniqueConstraint(fields=("template", "name_key"), name="badges_group_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, template: BadgeTemplate, name: str) -> RequirementGroup:
        """Return the template's group of that name, as a person reads it. Make it if there is none."""
        with transaction.atomic():
            RulesetVersion.hold()  # nobody else makes it meanwhile
            found = cls.objects.filter(template=template, name_key=key_of(name)).first()
            return found or cls.objects.create(template=template, name=name)

    def clean(self) -> None:
        """Refuse a name that people read as nothing, or as the name of another group; and another template."""
        super().clean()
        self.name = tidy(self.name)
        if not self.name:
            raise ValidationError({"name": _("Give the group a name.")})
        twins = RequirementGroup.objects.filter(template=self.template_id, name_key=key_of(self.name))
        twin = twins.exclude(pk=self.pk).first()
        if twin is not None:
            raise ValidationError({"name": _("There is a group “%(name)s” already.") % {"name": twin}})
        if self.pk and self.requirements.exclude(template=self.template_id).exists():
            raise ValidationError(_("The group has requirements of another badge template."))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save. Raises ValidationError for what ``clean`` refuses, and for a group that needs nothing."""
        with transaction.atomic():
            RulesetVersion.hold()
            self.clean()
            if self.needed < 1:  # nothing would count as done
                raise ValidationError({"needed": _("A group must need at least one of its requirements.")})
            self.name_key = key_of(self.name)
            fields = kwargs.get("update_fields")
            if fields is not None:
                kwargs["update_fields"] = {*fields, "name_key"}
            super().save(*args, **kwargs)


def tidy(name: str) -> str:
    """Return a name without what nobody sees: format characters, and blanks at its ends or beside one another."""
    visible = "".join(char for char in name if char.isspace() or unicodedata.category(char) not in ("Cf", "Cc"))
    return " ".join(visible.split())


def key_of(name: str) -> str:
    """Return what is the same for names that people read as the same: "Group A", " group  a"."""
    read = unicodedata.normalize("NFKC", tidy(name)).casefold()
    return hashlib.sha256(unicodedata.normalize("NFKC", read).encode()).hexdigest()
