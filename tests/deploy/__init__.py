"""What lies under deploy/ fits together. No container is started."""
