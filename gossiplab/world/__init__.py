"""What is so at a virtual time: the fold of events, and the figures read off it. Never imports the engine."""
