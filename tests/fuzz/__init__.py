"""Malformed and odd inputs, each with what must happen: see `__main__.py`."""
