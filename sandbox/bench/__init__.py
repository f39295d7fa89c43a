"""Measure the cost of an event and of a delivery: ``python -m sandbox.bench [deliveries] [events] [bus]``.

On the database server of ``DATABASE_URL``, or on an SQLite file without it. Milliseconds depend on the machine and on
what else it does; the ratios within one run are what to compare.
"""
