"""Alerting and recording rules for Prometheus, and routes for Alertmanager, from a configuration.

Pure: from `Settings` to frozen values (`document`), from those to YAML (`text`).
"""
