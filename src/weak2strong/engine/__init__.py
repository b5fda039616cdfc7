"""Which step of a study runs where and when, what it writes, and what it would take."""
