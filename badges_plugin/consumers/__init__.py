"""Event bus consumers that acknowledge only events that were applied or stored; ``EVENT_BUS_CONSUMER`` names one.

The bus libraries' own consumers acknowledge a message even when its receiver failed or the database was unavailable,
start at the end of a topic on which they never committed an offset, and end with exit code 0 when they give up. Ours
use the libraries' settings and decoding, and handle failures differently.
"""
