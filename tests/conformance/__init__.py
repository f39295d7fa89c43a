"""Independent judges of the site's own Open Badges: programs of others that verify what ours has signed.

``make conformance`` runs them. They are written in JavaScript, as wallets and verifiers are, and installed from the
lock file beside this into the repository's cache, without running what packages would like to run. None of them has a
network: what they would fetch is given to them.
"""
