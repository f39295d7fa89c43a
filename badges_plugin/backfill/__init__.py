"""Awarding for what happened before: from the bus, read once more, or from a file.

Events are collected on disk, by learner, and each learner's are applied at once (``api.process_history``): what
was lost and earned again long ago makes no revocation, no award, and no request to a provider.
"""
