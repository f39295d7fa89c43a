"""The choice of a needed badge: what Django's select says, without a template for each badge."""

from __future__ import annotations

import pytest
from django import forms
from django.test import SimpleTestCase

from badges_plugin.admin.needed_badges import PlainSelect

CHOICES = [("", "None"), (1, 'It\'s "quoted"'), (2, "<b>Naïve</b> & more"), ("3", "Three")]


@pytest.mark.parametrize("value", [None, "", 1, "1", 3, 4])
@pytest.mark.parametrize("attrs", [None, {"id": "id_needed", "required": True, "aria-describedby": "help", "x": False}])
def test_it_says_what_djangos_select_says(value: object, attrs: dict[str, object] | None) -> None:
    plain, usual = (
        widget(choices=CHOICES, attrs={"class": "wide"}).render("needs_badge", value, attrs)
        for widget in (PlainSelect, forms.Select)
    )
    SimpleTestCase().assertHTMLEqual(plain, usual)
