"""Make what the host's built-in badges app holds ours, without a second badge, mail or event.

What that app did wrongly is told, not copied. The providers' part is in the backends (``adopters``).
"""
