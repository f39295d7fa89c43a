"""Addresses of files by what they are of: the lists of the admin make them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from badges_plugin.models import BadgeTemplate
from badges_plugin.reading import AwardState
from badges_plugin.web.desk.site import desk_page


@desk_page("badges_plugin.view_badgeaward")
def holders(request: HttpRequest, template_id: int) -> HttpResponse:
    """Lead to the file of those who hold a badge: that of the list of awards, with these filters."""
    template = get_object_or_404(BadgeTemplate, pk=template_id)
    query = urlencode({"progress__template__id__exact": template.pk, "state": AwardState.HELD.value})
    return HttpResponseRedirect(f"{reverse('admin:badges_plugin_badgeaward_export')}?{query}")
