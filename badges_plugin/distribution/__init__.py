"""Deliver awards to badge providers. ``api`` is the public door for backends."""
