from django.apps import AppConfig


class MedalsConfig(AppConfig):
    name = "medals"
    verbose_name = "Medals"
    default_auto_field = "django.db.models.BigAutoField"
    # The service skips an app config without this attribute. It also says where the webhook is, if there is one.
    plugin_app = {
        "url_config": {
            "credentials.djangoapp": {"namespace": "medals", "regex": r"^medals/", "relative_path": "urls"},
        },
    }

    def ready(self):
        from badges_plugin.distribution import api

        if not api.is_enabled():
            return
        from medals import checks  # noqa: F401
        from medals.backend import MedalsBackend

        api.register(MedalsBackend())
