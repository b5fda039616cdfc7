"""The embedded domain: real cities and countries, and the tasks asked about them."""
