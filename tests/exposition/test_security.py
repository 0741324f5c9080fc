"""TLS, client certificates, users and limits, on a real port."""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt
import httpx
import pytest

from driftwatch.config.web_shape import CIPHERS, CURVES
from driftwatch.errors import ConfigError
from driftwatch.exposition import login
from driftwatch.exposition.page import Page
from driftwatch.exposition.security import Security
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.exposition.readings import NOW, busy_health
from tests.servers.certificates import Authority
from tests.servers.prometheus import prometheus_server

PASSWORD = "p:ß rose"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
USERS = f'basic_auth_users: {{prom: "{HASH}"}}\n'
TLS = "tls_server_config: {cert_file: server.crt, key_file: server.key}\n"
CLIENTS = """tls_server_config:
  cert_file: server.crt
  key_file: server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: clients.crt
"""


@dataclass
class Place:
    """A folder with a web configuration, its authority, and what the server told of it."""

    folder: Path
    authority: Authority = field(default_factory=Authority)
    told: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.authority.server(self.folder)
        self.authority.write(self.folder / "ca.crt")
        self.authority.write(self.folder / "clients.crt")

    def write(self, text: str) -> None:
        new = self.folder / "new"
        new.write_text(text)
        new.replace(self.folder / "web.yml")

    @contextmanager
    def serving(self, text: str) -> Iterator[WebServer]:
        self.write(text)
        security = Security(self.folder / "web.yml", self.told.append)
        probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
        app = create_app(Page(), busy_health(), probes)
        server = WebServer(app, "127.0.0.1", 0, security=security)
        server.start()
        try:
            yield server
        finally:
            server.stop()

    def get(
        self, server: WebServer, path: str = "/metrics", *, client: str = "", user: str = ""
    ) -> httpx.Response:
        """Over a connection of its own, trusting the authority as it was at the start."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        if client:
            context.load_cert_chain(*self.authority.client(self.folder, client))
        with httpx.Client(verify=context, trust_env=False) as asking:
            auth = (user, PASSWORD) if user else None
            return asking.get(f"{server.url}{path}", auth=auth)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# -- TLS ------------------------------------------------------------------------------------------


def test_https_and_nothing_else(place: Place) -> None:
    with place.serving(TLS) as server:
        assert server.url.startswith("https://127.0.0.1:")
        assert place.get(server).status_code == 200
        with pytest.raises(httpx.HTTPError):
            httpx.get(server.url.replace("https", "http"), trust_env=False)


def test_versions_and_suites(place: Place) -> None:
    spoken = {}
    text = TLS.replace("}", ", max_version: TLS12, cipher_suites: "
                       "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]}")  # fmt: skip
    for name, config in (("all", TLS), ("one", text)):
        with place.serving(config) as server:
            context = ssl.create_default_context(cafile=str(place.folder / "ca.crt"))
            with (
                socket.create_connection(server.address) as plain,
                context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
            ):
                cipher = wrapped.cipher()
                assert cipher is not None
                spoken[name] = (wrapped.version(), cipher[0])
    assert spoken["all"][0] == "TLSv1.3"
    assert spoken["one"] == ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384")


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("suite", [name for name in CIPHERS if "_RSA_" not in name])
def test_each_curve_and_suite_is_spoken(place: Place, name: str, suite: str) -> None:
    """Those that an elliptic key can serve."""
    more = f", curve_preferences: [{name}], cipher_suites: [{suite}], prefer_server_cipher_suites: "
    with place.serving(TLS.replace("}", f"{more}false}}")) as server:
        assert place.get(server).status_code == 200


def test_openssl_knows_every_suite() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name in filter(None, CIPHERS.values()):
        context.set_ciphers(name)
        assert name in [one["name"] for one in context.get_ciphers()]


def test_a_rotated_certificate_is_shown_to_the_next_connection(place: Place) -> None:
    with place.serving(TLS) as server:
        first = ssl.get_server_certificate(server.address)
        place.authority.server(place.folder)
        second = ssl.get_server_certificate(server.address)
        assert first != second
        assert second == ssl.get_server_certificate(server.address)
        assert place.get(server).status_code == 200
    # What looks meanwhile, such as the end of the first connection, may find half of it, or all of
    # it before the time of its last change: then it is read once more.
    assert (place.told[0], place.told[-1]) == (True, True)
    assert place.told.count(True) >= 2


def test_half_a_rotation_keeps_the_old_certificate(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with place.serving(TLS) as server:
        first = ssl.get_server_certificate(server.address)
        key = (place.folder / "server.key").read_bytes()
        place.authority.server(place.folder)
        new = (place.folder / "server.key").read_bytes()
        (place.folder / "server.key").write_bytes(key)
        assert ssl.get_server_certificate(server.address) == first
        assert place.get(server).status_code == 200
        (place.folder / "server.key").write_bytes(new)
        assert ssl.get_server_certificate(server.address) != first
    assert (place.told[0], place.told[-1]) == (True, True)
    assert place.told.count(True) >= 2
    assert False in place.told
    errors = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert any("key values mismatch" in one for one in errors)


def test_a_broken_configuration_keeps_the_last_good_one(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with place.serving(TLS + USERS) as server:
        place.write("basic_auth_users: {prom: s3cret}")
        assert place.get(server).status_code == 401
        assert place.get(server, user="prom").status_code == 200
        place.write(USERS)  # TLS would be off
        assert place.get(server, user="prom").status_code == 200
        (place.folder / "web.yml").unlink()
        assert place.get(server, user="prom").status_code == 200
        place.write(TLS)
        assert place.get(server).status_code == 200
    assert place.told == [True, False, False, False, True]
    errors = [one.getMessage() for one in caplog.records if one.levelname == "ERROR"]
    assert [
        words in one
        for words, one in zip(
            ("not a bcrypt hash", "a restart alone", "No such file"), errors, strict=True
        )
    ] == [True, True, True]
    assert "s3cret" not in caplog.text


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "server.key").unlink(), "cannot be read: No such file"),
        (lambda folder: (folder / "server.crt").write_text("x"), "cannot be used: "),
        (lambda folder: (folder / "server.crt").write_bytes(b""), "cannot be used: "),
        (lambda folder: (folder / "clients.crt").write_text("x"), "clients.crt cannot be used: "),
    ],
)
def test_it_does_not_start_without_its_files(place: Place, spoil: object, told: str) -> None:
    assert callable(spoil)
    spoil(place.folder)
    with pytest.raises(ConfigError, match=told) as caught, place.serving(CLIENTS):
        raise AssertionError("it cannot serve")
    assert "tls_server_config" in str(caught.value)


def test_an_encrypted_key_is_refused_instead_of_asked_for(place: Place) -> None:
    key = place.folder / "server.key"
    command = f"openssl pkey -in {key} -aes256 -passout pass:s3cret -out {key}.new"
    assert os.system(command) == 0
    key.with_suffix(".key.new").replace(key)
    with pytest.raises(ConfigError, match="the key is encrypted"), place.serving(TLS):
        raise AssertionError("it cannot serve")


# -- client certificates --------------------------------------------------------------------------


def test_client_certificates(place: Place) -> None:
    with place.serving(CLIENTS) as server:
        assert place.get(server, client="prometheus.example").status_code == 200
        with pytest.raises(httpx.HTTPError):
            place.get(server)
        place.authority = Authority()
        with pytest.raises(httpx.HTTPError):
            place.get(server, client="prometheus.example")
        place.authority.write(place.folder / "clients.crt")  # it is trusted from now on
        assert place.get(server, client="prometheus.example").status_code == 200


def test_a_certificate_if_there_is_one(place: Place) -> None:
    text = CLIENTS.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    with place.serving(text) as server:
        assert place.get(server).status_code == 200
        assert place.get(server, client="prometheus.example").status_code == 200
        place.authority = Authority()
        with pytest.raises(httpx.HTTPError):
            place.get(server, client="prometheus.example")


def test_names_of_clients(place: Place) -> None:
    with place.serving(f"{CLIENTS}  client_allowed_sans: [prometheus.example]\n") as server:
        assert place.get(server, client="prometheus.example").status_code == 200
        with pytest.raises(httpx.HTTPError):
            place.get(server, client="grafana.example")


# -- users ----------------------------------------------------------------------------------------


def test_users(place: Place) -> None:
    with place.serving(USERS) as server:
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/none"):
            answer = place.get(server, path)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith('Basic realm="driftwatch"')
        assert place.get(server, user="prom").status_code == 200
        assert place.get(server, user="prom").status_code == 200  # as it is remembered
        assert place.get(server, user="nobody").status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !", "Basic cHJvbQ==", "Bearer x", "Basic /w==", "Basic cHJvbToA"],
)
def test_headers_that_are_no_login(place: Place, header: str) -> None:
    with place.serving(USERS) as server:
        answer = httpx.get(server.url, headers={"Authorization": header}, trust_env=False)
    assert answer.status_code == 401


def test_a_changed_password_counts_at_once(place: Place) -> None:
    with place.serving(USERS) as server:
        assert place.get(server, user="prom").status_code == 200
        other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
        place.write(f'basic_auth_users: {{prom: "{other}"}}')
        assert place.get(server, user="prom").status_code == 401


def test_who_is_let_in_does_not_wait_for_who_guesses(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each guess takes a bcrypt of half a second; three of them may wait at a time."""
    monkeypatch.setattr(login, "WAITING", 3)
    dear = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(13)).decode()
    with place.serving(f'basic_auth_users: {{prom: "{dear}"}}') as server:
        assert place.get(server, user="prom").status_code == 200

        def guess(n: int) -> int:
            wrong = ("prom" if n % 2 else "nobody", f"wrong {n}")
            return httpx.get(server.url, auth=wrong, trust_env=False).status_code

        with ThreadPoolExecutor(12) as guessing:
            answers = [guessing.submit(guess, n) for n in range(12)]
            assert place.get(server, user="prom").status_code == 200
            assert any(not one.done() for one in answers), "nobody was guessing any more"
        assert {one.result() for one in answers} == {401, 503}


# -- headers and limits ---------------------------------------------------------------------------


def test_headers_of_the_configuration_go_before_ours(place: Place) -> None:
    headers = "{X-Frame-Options: sameorigin, Strict-Transport-Security: max-age=60}"
    with place.serving(f"http_server_config: {{headers: {headers}}}\n{USERS}") as server:
        refused, answered = place.get(server), place.get(server, user="prom")
    for answer in (refused, answered):
        assert answer.headers["X-Frame-Options"] == "sameorigin"
        assert answer.headers["Strict-Transport-Security"] == "max-age=60"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_a_rate_of_requests(place: Place) -> None:
    with place.serving("rate_limit: {interval: 1h, burst: 2}") as server:
        assert [place.get(server).status_code for _ in range(3)] == [200, 200, 429]
        place.write("rate_limit: {interval: 1h, burst: 1}")
        assert [place.get(server).status_code for _ in range(3)] == [200, 429, 429]


# -- Prometheus -----------------------------------------------------------------------------------


def test_prometheus_scrapes_by_certificate_and_password_while_both_are_rotated(
    place: Place,
) -> None:
    certificate, key = place.authority.client(place.folder, "prometheus.example")
    scrape = {
        "scheme": "https",
        "basic_auth": {"username": "prom", "password": PASSWORD},
        "tls_config": {
            "ca_file": str(place.folder / "ca.crt"),
            "cert_file": certificate,
            "key_file": key,
        },
    }
    with (
        place.serving(CLIENTS + USERS) as server,
        prometheus_server(f"127.0.0.1:{server.address[1]}", scrape=scrape) as prometheus,
    ):
        prometheus.wait_for("driftwatch_build_info")
        place.authority.server(place.folder)
        prometheus.wait_for(f"up == 1 and timestamp(up) > {time.time()}")
        assert place.told[-1], "it was scraped with the new certificate"
        assert place.told.count(True) == 2
        refused = {**scrape, "basic_auth": {"username": "prom", "password": "wrong"}}
        with prometheus_server(f"127.0.0.1:{server.address[1]}", scrape=refused) as other:
            other.wait_for("up == 0")
