"""Open Badges 3.0 that the site signs itself, without a provider."""
