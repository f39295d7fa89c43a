"""The LMS side of the sandbox: a process that sends real Open edX events through the event bus."""
