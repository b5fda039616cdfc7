"""Subjects of tasks, a room each: the atlas, chess, and the datasets of the literature.

A room enters what it has into the tables of `weak2strong.tasks` and `weak2strong.ground.rooms` when
it is imported, and nothing else knows of it.
"""
