"""What the outside sees: bytes for a scrape, health, and a POST for each change of an alert."""
