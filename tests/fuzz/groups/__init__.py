"""A file for each group of inputs; every file here is imported, so nothing else names it."""
