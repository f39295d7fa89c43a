"""Mails to learners about the badges of the site itself."""
