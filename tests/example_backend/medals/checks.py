from django.core.checks import Error, register

from badges_plugin.distribution.api import section


@register("badges")
def check_settings(app_configs, **kwargs):
    if section("medals", {"API_KEY": ""})["API_KEY"]:
        return []
    hint = 'Set BADGES_CONFIG["medals"]["API_KEY"].'
    return [Error("There is no API key of Medals.", hint=hint, id="medals.E001")]
