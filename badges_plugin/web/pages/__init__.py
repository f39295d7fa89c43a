"""Pages for learners and everybody."""
