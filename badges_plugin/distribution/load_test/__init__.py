"""Measure a site with synthetic events: ``badges_load_test``.

It stands above the deliveries because it follows the badges to them.
"""
