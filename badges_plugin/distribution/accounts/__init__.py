"""Accounts at a provider: what backends need whose provider gives out API keys.

A backend may use these pieces or do without; the contract for backends (``distribution.backends``) knows nothing of
them. An account has a key, in the settings or encrypted in the database, and badge templates that are mirrored.
"""
