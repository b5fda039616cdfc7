"""weak2strong: weak-to-strong generalization experiments."""

__version__ = "0.1.0"
