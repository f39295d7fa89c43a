"""What the sandbox shows: its processes, and the story that ``make demo`` tells with them."""
