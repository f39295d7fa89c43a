"""Drills: break things on purpose, and count what was lost.

``python -m sandbox.drills [AREA ...]`` runs the areas of ``catalog.AREAS`` on the database server of
``DATABASE_URL``, each in a database of its own. Without that variable they run on an SQLite file, which shows less.
"""
