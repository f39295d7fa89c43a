"""Credly (by Pearson) as a distribution backend."""
