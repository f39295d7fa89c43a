"""The images of badges, served with headers that keep them harmless."""
