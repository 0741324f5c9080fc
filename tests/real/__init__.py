"""Real data under the default policy, tuned to nothing, through the code of the daemon."""
