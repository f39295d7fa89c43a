"""The tests inside a real checkout of the Credentials service, in place of the sandbox's stand-in.

``python -m tests.host /path/to/credentials [PYTEST ARGUMENTS]``, which is what ``make test-host`` calls.
"""
