"""From divergences and a policy to a verdict: pure functions."""
