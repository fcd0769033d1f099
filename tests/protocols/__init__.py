"""The built-in protocols, held against second implementations and against their papers."""
