"""How often the verdict that is shipped errs, what it finds, and how that compares with peers."""
