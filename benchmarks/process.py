"""What benchmarks have in common: their options, and the memory of their process."""

import argparse
import platform
import resource


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is the text at the top of a script, line by line."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def peak_bytes() -> int:
    """The most memory in bytes that this process has taken."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
