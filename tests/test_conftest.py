"""No test begins with what another one left behind."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.utils import translation


@pytest.mark.parametrize("language", ["fr", "de"])
def test_each_test_begins_in_the_language_of_the_site(language: str) -> None:
    assert translation.get_language() == settings.LANGUAGE_CODE
    translation.activate(language)
