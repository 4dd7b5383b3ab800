"""Keep the memory of a process that runs for a year flat.

With glibc every thread allocates in a heap of its own, and what is free there stays there: in half an hour of passes,
with nothing kept, the process grew by a quarter. So the threads share two heaps, and pieces that are large go
straight back to the system. mallopt(3) explains the numbers.
"""

import ctypes

_OPTIONS = {
    -8: 2,  # M_ARENA_MAX
    -3: 64 * 1024,  # M_MMAP_THRESHOLD, in bytes; set, it no longer grows with what was freed
    -1: 128 * 1024,  # M_TRIM_THRESHOLD, in bytes; likewise
}


def limit_arenas() -> bool:
    """Set up the C library, before there are threads; return False where it is not glibc and has no such trouble."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, TypeError, AttributeError):  # as Windows, macOS and musl have it
        return False
    return all(mallopt(option, value) == 1 for option, value in _OPTIONS.items())
