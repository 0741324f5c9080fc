"""The tools that driftwatch is compared with, each in an environment of its own."""
