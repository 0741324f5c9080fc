"""The alert state: a pure machine."""
