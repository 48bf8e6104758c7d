"""What asks the local emulation to end: Ctrl-C, SIGTERM, a terminal that was closed."""

from __future__ import annotations

import os
import signal
from types import FrameType

# From the first signal on, what is at work may go on for so long. A person who wants it at once says so again. Who
# ends a service (a container, a shutdown) sends SIGKILL ten seconds later.
PATIENCE_S = {signal.SIGINT: 330.0, signal.SIGTERM: 5.0, signal.SIGHUP: 5.0}


class StopRequest:
    """Notes signals and raises nothing, so that none of them finds a process half started or half ended."""

    def __init__(self) -> None:
        self.count = 0
        self.first: signal.Signals | None = None

    def listen(self) -> StopRequest:
        """Take the signals over, from here on. SIGINT too where a shell has started us with it ignored; a terminal
        that may close without us (nohup) is left to close."""
        for number in PATIENCE_S:
            if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
                continue
            signal.signal(number, self._note)
        return self

    @property
    def asked(self) -> bool:
        """Whether to end."""
        return self.count > 0

    @property
    def at_once(self) -> bool:
        """Whether a stop was requested a second time."""
        return self.count > 1

    @property
    def patience_s(self) -> float:
        """How long what is at work may go on, in seconds."""
        return PATIENCE_S[self.first] if self.first else 0.0

    @property
    def exit_status(self) -> int:
        """As a shell says it: 128 and the signal's number."""
        return 128 + self.first if self.first else 0

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.first = self.first or signal.Signals(number)
        if number == signal.SIGHUP:  # the reader is gone, and writing to a closed terminal fails
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
