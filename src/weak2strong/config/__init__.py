"""Every setting that a user can give, written once: the study, a model, a training, the data.

These are data only: what they resolve to on a machine stands in `weak2strong.models.resolve`
and `weak2strong.protocol.resolve`.
"""
