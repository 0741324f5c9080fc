"""WHEN things happen: the schedule, the signals, and the only clocks."""
