"""Grafana dashboards: four views, generated. Needs the extra `dashboards`."""
