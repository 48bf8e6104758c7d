"""Content credentials (C2PA): what the files that come in say of their origin, and what our results say of theirs.

The library that reads and signs them runs in processes of its own: see `sandbox`.
"""
