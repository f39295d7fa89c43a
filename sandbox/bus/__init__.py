"""An event bus with nothing to install: librdkafka's own mock cluster and a small schema registry in one process."""
