"""What the explorer runs the real code in: threads that take turns, clocks of their own, and a storage in memory."""
