"""Defaults that the plugin adds to the host's settings, one module for each settings type of the host.

``plugin_settings`` only adds what is missing: from Sumac on the host calls it before it reads the operator's YAML,
in Redwood after it.
"""
