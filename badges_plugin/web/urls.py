"""The URLs of pages, mails, images, metrics and the REST API; none while badges are switched off."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from badges_plugin import conf

app_name = "badges_web"

urlpatterns: list[URLPattern | URLResolver] = []
if conf.is_enabled():
    from badges_plugin.web.conf import usable_pages
    from badges_plugin.web.images import views as images
    from badges_plugin.web.mails import views as mails
    from badges_plugin.web.metrics import views as metrics

    image = "badges/images/<uuid:template>/<slug:digest>"
    urlpatterns = [
        path(f"{image}.png", images.image_png, name="image_png"),
        path(f"{image}.svg", images.image_svg, name="image_svg"),
        path(f"{image}/preview.png", images.link_preview, name="link_preview"),
        path("api/badges/v1/", include("badges_plugin.web.rest_api.urls")),
        path("badges/metrics/", metrics.metrics, name="metrics"),
        path("badges/desk/", include("badges_plugin.web.desk.urls")),
        # Last: the pages answer whatever else is asked for below their address.
        path("badges/", include("badges_plugin.web.pages.urls")),
    ]
    if usable_pages().enabled:
        urlpatterns[:0] = [
            path("badges/mails/", mails.mails, name="mails"),
            path("badges/mails/off/<str:token>/", mails.off, name="mails_off"),
        ]
