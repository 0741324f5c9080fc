"""deploy/compose.yaml is valid, and its parts name each other's addresses, paths and data sources.

It is never started here.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from driftwatch.config.load import load_settings
from driftwatch.exposition.dashboards.sql import StoreKind
from tests.servers.prometheus import promtool

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
PROMETHEUS = DEPLOY / "prometheus" / "prometheus.yml"
LOGS_URL = "postgresql://reader@db.example.org/logs"


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def provisioned(kind: str) -> list[dict[str, Any]]:
    path = DEPLOY / "grafana" / "provisioning" / kind / "driftwatch.yaml"
    found = yaml.safe_load(path.read_text("utf-8"))
    assert found["apiVersion"] == 1
    listed: list[dict[str, Any]] = found["providers" if kind == "dashboards" else kind]
    return listed


def mounts(service: str) -> dict[str, str]:
    """Where it sees what: path in the container -> volume or path beside the file."""
    parts = (one.split(":") for one in services()[service]["volumes"])
    return {part[1]: part[0] for part in parts}


def test_it_is_a_compose_file() -> None:
    made = PyCompose.from_yaml(COMPOSE.read_text("utf-8"))
    assert set(made.service_names()) == {"driftwatch", "prometheus", "alertmanager", "grafana"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart: unless-stopped", "restart: sometimes"),
        ("stop_grace_period: 20s", "stop_grace_period: soon"),
        ("image: prom", "imagge: prom"),
    ],
)
def test_a_mistake_would_be_found(right: str, wrong: str) -> None:
    text = COMPOSE.read_text("utf-8")
    assert right in text
    with pytest.raises(ValueError, match="services"):
        PyCompose.from_yaml(text.replace(right, wrong))


def test_no_port_is_open_to_others_and_no_password_is_in_it() -> None:
    for name, service in services().items():
        for port in service["ports"]:
            assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), name
    assert "password" not in re.sub("grafana-password|PASSWORD__FILE", "", str(services())).lower()
    assert services()["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD__FILE"].endswith(
        yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]["grafana"]["secrets"][0]
    )


def test_every_image_that_is_not_built_has_a_version() -> None:
    for service in services().values():
        assert "build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"])


def test_what_is_mounted_is_there() -> None:
    whole = yaml.safe_load(COMPOSE.read_text("utf-8"))
    sources = {source for name in services() for source in mounts(name).values()}
    assert {one for one in sources if not one.startswith("./")} == set(whole["volumes"])
    files = {one for one in sources if one.startswith("./")}
    build = services()["driftwatch"]["build"]
    files.add(f"{build['context']}/{build['dockerfile']}")
    assert [one for one in files if not (DEPLOY / one).exists()] == []


def test_the_image_is_started_as_it_was_made() -> None:
    """Its program is on no path: whoever names another entry point must name all of it."""
    service = services()["driftwatch"]
    (entry,) = of_image("ENTRYPOINT")
    assert "entrypoint" not in service, entry
    config = service["command"][service["command"].index("--config") + 1]
    assert mounts("driftwatch")[config] == "./driftwatch.yaml"
    assert service["command"] == ["serve", "--config", config]
    assert re.match(r"python:", of_image("ARG BASE=")[0]), "the health check runs python"
    assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-c"]


def test_grafana_may_read_the_folder_of_the_store_and_not_write_it() -> None:
    (made,) = (line for line in of_image("RUN") if "/var/lib/driftwatch" in line)
    words = made.split()
    group, mode = words[words.index("-g") + 1], int(words[words.index("-m") + 1], 8)
    assert services()["grafana"]["group_add"] == [group]
    assert mode & 0o070 == 0o050
    assert mode & 0o007 == 0
    (line,) = (one for one in services()["grafana"]["volumes"] if one.startswith("store:"))
    assert line.endswith(":ro")


def of_image(instruction: str) -> list[str]:
    """What the lines of the container file that begin with this say."""
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    return [one.removeprefix(instruction) for one in lines if one.startswith(instruction)]


def test_driftwatch_listens_where_prometheus_asks_and_stores_where_grafana_looks() -> None:
    settings = load_settings(DEPLOY / "driftwatch.yaml", {"LOGS_URL": LOGS_URL})
    assert (settings.host, settings.port) == ("0.0.0.0", 10777)
    scraped = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in yaml.safe_load(PROMETHEUS.read_text("utf-8"))["scrape_configs"]
    }
    assert scraped["driftwatch"] == [f"driftwatch:{settings.port}"]
    (store,) = (one for one in provisioned("datasources") if one["type"] != "prometheus")
    assert store["type"] == StoreKind.SQLITE.value
    path = store["jsonData"]["path"]
    assert settings.store_url == f"sqlite:///{path}"
    folder = str(Path(path).parent)
    assert mounts("driftwatch")[folder] == mounts("grafana")[folder] == "store"
    assert settings.grace_seconds < int(services()["driftwatch"]["stop_grace_period"][:-1])


def test_grafana_finds_the_dashboards_and_their_data_sources() -> None:
    (provider,) = provisioned("dashboards")
    assert mounts("grafana")[provider["options"]["path"]] == "./grafana/dashboards"
    (prometheus,) = (one for one in provisioned("datasources") if one["type"] == "prometheus")
    assert prometheus["url"] == "http://prometheus:9090"
    told = yaml.safe_load(PROMETHEUS.read_text("utf-8"))
    assert prometheus["jsonData"]["timeInterval"] == told["global"]["scrape_interval"]
    plugin = services()["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"]
    assert plugin.split("@")[0] == StoreKind.SQLITE.value


def test_prometheus_accepts_its_configuration_with_the_rules(tmp_path: Path) -> None:
    """As it lies in the container, below another root."""
    (rules,) = (path for path in mounts("prometheus") if path.endswith("rules.yaml"))
    source = DEPLOY / mounts("prometheus")[rules]
    (tmp_path / Path(rules).name).write_text(source.read_text("utf-8"), "utf-8")
    text = PROMETHEUS.read_text("utf-8")
    folder = str(Path(rules).parent)
    assert f"- {folder}/*.yaml" in text
    changed = tmp_path / "prometheus.yml"
    changed.write_text(text.replace(folder, str(tmp_path)), "utf-8")
    done = promtool("check", "config", changed)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout
    managers = yaml.safe_load(text)["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    assert managers == ["alertmanager:9093"]
    assert "127.0.0.1:9093:9093" in services()["alertmanager"]["ports"]
