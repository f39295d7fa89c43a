"""The page of one badge, and the form in which staff say in words what learners must do for it."""
