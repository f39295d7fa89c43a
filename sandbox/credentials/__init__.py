"""A stand-in for the Open edX Credentials service: its contract with plugins, and no more.

Own code, written from the observed behavior of the releases Redwood to Verawood. What a plugin can see is
kept the same: models and their checks, plugin discovery, and the order in which settings are made.
"""
