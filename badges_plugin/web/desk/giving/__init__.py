"""Give a badge by hand: to one learner, to a selection, or to a list that is looked at first and can be undone."""
