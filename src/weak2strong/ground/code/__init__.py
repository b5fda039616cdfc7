"""The source that decides a result, for keys (see `weak2strong.ground.code.used.code_of`)."""
