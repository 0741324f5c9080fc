"""WHAT happens in an evaluation: one function, one way through."""
