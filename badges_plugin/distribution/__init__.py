"""Carrying awards to the outside: what the learner earned here becomes a badge at a provider."""
