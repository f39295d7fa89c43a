"""Event bus consumers that acknowledge only what was applied or stored; ``EVENT_BUS_CONSUMER`` names one of them.

The bus libraries' own consumers acknowledge a message also when its receiver failed or the database was away,
start at the end of a topic they never committed on, and end with exit code 0 when they give up. These use
the libraries' settings, decoding and metadata, and differ in what they do about failures.
"""
