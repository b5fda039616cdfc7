"""Fitting a model to labels, soft or hard, and asking it for predictions."""
