"""The read side: what badges ask for, how far learners are, and who holds what.

Frozen data, without permissions: whoever asks decides who may see it. Each function says how many queries it makes,
for any number of rows. ``__all__`` is the promise; everything below this package is free to change.
"""
