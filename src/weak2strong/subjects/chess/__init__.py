"""Chess: positions and moves, puzzles of others, and positions of our own with exact labels."""
