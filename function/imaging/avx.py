"""What ISA-L leaves behind in the processor."""

from __future__ import annotations

import numpy as np

_FEW = np.ones(32, np.float32)


def vzeroupper() -> None:
    """Tell the processor that nothing is left in the upper halves of this thread's AVX registers.

    ISA-L leaves them in use, and code without AVX then runs at half its speed: OpenCV's shrinking, 28 ms instead of 14
    for 3 megapixels. Loops of numpy's end with the instruction that says so (VZEROUPPER).
    """
    np.add(_FEW, _FEW)
