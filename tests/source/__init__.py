"""Tests of the source, on real SQLite files and a real PostgreSQL."""
