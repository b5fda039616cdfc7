"""Subjects of tasks: the atlas, chess, and the datasets of the literature."""
