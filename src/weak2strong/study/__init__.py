"""A grid of cells and the cached stages they share."""
