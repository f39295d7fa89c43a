"""The admin's front page, as far as it is about badges: one heading, entries in the order of work, and a search."""
