from django.urls import path

from badges_plugin.distribution.api import is_enabled
from medals.webhooks import MedalsWebhook

app_name = "medals"

urlpatterns = []
if is_enabled():
    urlpatterns = [
        path("webhook/", MedalsWebhook.as_view(), name="webhook"),
        path("webhook/<str:secret>/", MedalsWebhook.as_view(), name="secret-webhook"),
    ]
