"""Award badges for past events, which are read from the event bus again or from a file.

Events are collected on disk by learner, and each learner's events are applied at once (``api.process_history``): a
badge that was lost and earned again long ago causes no revocation, no second award, and no request to a provider.
"""
