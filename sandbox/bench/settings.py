"""The sandbox as production would run it: with DEBUG, Django keeps every query."""

from sandbox.settings import *  # noqa: F403

DEBUG = False
