"""PURE (no Django, no I/O). What a collector configuration means: its text, its parts, its faults."""
