"""How the libraries below use this process, for many pairs at once on few cores. Called before they are imported."""

from __future__ import annotations

import ctypes
import os
import sys

# OpenBLAS's own threads spin between the small products that are asked of them: a seventh of a pair's CPU.
ONE_BLAS_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
# OpenCV's threads spin before they sleep: a tenth of a pair's CPU, taken from the pairs beside it.
NO_SPINNING = {"OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER": "0", "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN": "0"}
# OpenCV writes of damaged pictures on stderr, where every line is a log entry; what it says is read from what it gives.
NO_LOG = {"OPENCV_LOG_LEVEL": "SILENT"}
# glibc, mallopt(3): parameter numbers of malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
# After each call into OpenCV or numpy a pair's thread waits for the interpreter, and another pair that reads or writes
# JSON holds it for Python's usual 5 ms: with eight at once, several percent of what a pair takes besides the model.
SWITCH_INTERVAL_S = 0.0005
# Arrays at analysis size come and go by the hundred. Above the first size each is mapped and cleared again by the
# kernel, a sixth of a pair's CPU; from the heap they are used again. Full-resolution pixels are larger and go back.
MAPPED_FROM_BYTES = 32 * 2**20
KEPT_FREE_BYTES = 128 * 2**20
# One heap a thread, as is usual, would keep the peak of each of eight threads.
HEAPS = 1


def prepare_libraries() -> None:
    """Set Python's, OpenBLAS's and OpenCV's threads, OpenCV's log and glibc's heap; what the environment says stays."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    for name, value in (ONE_BLAS_THREAD | NO_SPINNING | NO_LOG).items():
        os.environ.setdefault(name, value)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # absent in other C libraries
    if mallopt is None or any(name.startswith("MALLOC_") for name in os.environ):
        return
    for parameter, setting in (
        (M_ARENA_MAX, HEAPS),
        (M_MMAP_THRESHOLD, MAPPED_FROM_BYTES),
        (M_TRIM_THRESHOLD, KEPT_FREE_BYTES),
    ):
        mallopt(parameter, setting)
