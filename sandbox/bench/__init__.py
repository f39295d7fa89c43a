"""Measure what the plugin does in a second, and compare it with what is wanted: ``python -m sandbox.bench``.

See ``sandbox.bench.__main__``. Milliseconds depend on the machine and on what else it does; the ratios within one run
are what to compare.
"""
