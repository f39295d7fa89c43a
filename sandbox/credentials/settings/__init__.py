"""The settings modules a deployment builds on: ``from credentials.settings.production import *``."""
