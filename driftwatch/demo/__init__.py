"""The demo: the New York departures of 2013 as a log table, scored by a small model."""
