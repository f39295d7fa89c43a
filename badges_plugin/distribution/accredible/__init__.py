"""Accredible as a distribution backend."""
