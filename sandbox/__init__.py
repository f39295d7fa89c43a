"""Everything that is needed to run the plugin without an Open edX platform.

A stand-in for the Credentials service, simulators of what is around it, and the demo.

The stand-in lives in ``sandbox/credentials`` but is always imported as the top-level package ``credentials``
(this folder is put on the path), so that a real checkout can take its place.
"""
