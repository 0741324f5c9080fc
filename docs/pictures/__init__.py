"""The pictures of the explanations: `python -m docs.pictures` draws them, and prints figures."""
