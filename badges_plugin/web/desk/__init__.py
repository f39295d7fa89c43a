"""The desk of staff: pages in the frame of the admin, about a badge, a learner, an award and the site."""
