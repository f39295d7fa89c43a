"""The app of the LMS that keeps grades: its table of course grades, and how it is written."""
