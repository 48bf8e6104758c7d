"""All that a pair imports, at once: the first pair of a process waits for it."""

from __future__ import annotations

import gc


def import_for_pairs() -> None:
    """A second of one core at the most, two thirds of it the libraries of the model and of Cloud Storage.

    What is imported is there to stay. Python would look through all of it for garbage each time that it has grown by a
    quarter, and once more in the pair: a tenth of the time. So it does not, and never looks through it afterwards.
    """
    gc.disable()
    try:
        import google.genai  # noqa: F401, PLC0415

        import function.delivery.http_api  # noqa: PLC0415
        import function.delivery.pair  # noqa: PLC0415
        import function.generation.gemini.transport  # noqa: F401, PLC0415
    finally:
        gc.freeze()
        gc.enable()
