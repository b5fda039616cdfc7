"""Experiments: several studies, or one study looked at in another way."""
