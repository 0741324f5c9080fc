"""The dashboards: types, lint, PromQL and SQL on real servers. Never Grafana itself."""
