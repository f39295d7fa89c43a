"""The Tutor plugin that deploys badges: settings, event bus, consumer and worker containers."""
