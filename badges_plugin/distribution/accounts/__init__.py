"""Shared by the backends of providers that give out API keys and own the badge templates, which are mirrored here.

Beside the contract for backends: not part of what is stable.
"""
