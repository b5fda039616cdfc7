"""What weak-to-strong means: roles, students, and the stages that make them, with their keys."""
