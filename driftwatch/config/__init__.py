"""YAML to frozen values: all problems at once, each with its place and its remedy."""
