"""From an event to progress, awards and revocations."""
