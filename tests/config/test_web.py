"""The web configuration: the format of Prometheus, and a clear word for what is not done here."""

import ssl
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.web import RateLimit, TlsSettings, load_web
from driftwatch.errors import ConfigError
from tests.servers.certificates import Authority
from tests.servers.prometheus import promtool

SAMPLE = Path(__file__).parents[2] / "deploy" / "web-config.yml"
HASH = "$2y$04$0123456789012345678901uNF0JxxRzZMhYhRDGEFqYRk7wzYxUFa"
FILES = "cert_file: c, key_file: k"
CLIENTS = f"{FILES}, client_ca_file: a"


def loaded(folder: Path, text: str) -> Path:
    file = folder / "web.yml"
    file.write_text(text)
    return file


def test_everything_at_once(tmp_path: Path) -> None:
    found = load_web(
        loaded(
            tmp_path,
            f"""
tls_server_config:
  cert_file: c
  key_file: /keys/k
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: a
  client_allowed_sans: [prometheus.example]
  min_version: TLS12
  max_version: TLS12
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519]
http_server_config:
  http2: false
  headers:
    X-Frame-Options: sameorigin
    Strict-Transport-Security: max-age=1
    X-XSS-Protection: ""
basic_auth_users: {{prom: "{HASH}", 007: "{HASH}"}}
rate_limit: {{interval: 1m0.5s, burst: 3}}
""",
        )
    )
    assert found.tls == TlsSettings(
        cert_file=tmp_path / "c",
        key_file=Path("/keys/k"),
        client_ca_file=tmp_path / "a",
        clients=ssl.CERT_REQUIRED,
        client_sans=("prometheus.example",),
        minimum=ssl.TLSVersion.TLSv1_2,
        maximum=ssl.TLSVersion.TLSv1_2,
        ciphers=("ECDHE-RSA-AES128-GCM-SHA256",),
        prefer_own_ciphers=False,
        curve="X25519",
    )
    assert found.users == {"prom": HASH, "007": HASH}
    assert dict(found.headers) == {
        "X-Frame-Options": "sameorigin",
        "Strict-Transport-Security": "max-age=1",
    }
    assert found.rate == RateLimit(60.5, 3)
    assert found.files == (found.path, tmp_path / "c", Path("/keys/k"), tmp_path / "a")
    assert HASH not in repr(found)


def test_defaults_are_those_of_the_format(tmp_path: Path) -> None:
    found = load_web(loaded(tmp_path, f"tls_server_config: {{{FILES}}}"))
    assert found.tls == TlsSettings(tmp_path / "c", tmp_path / "k")
    assert (found.users, found.headers, found.rate) == ({}, {}, None)
    assert load_web(loaded(tmp_path, "rate_limit: {interval: 0, burst: 0}")).rate is None


def test_suites_of_tls_1_3_alone_leave_tls_1_2_out(tmp_path: Path) -> None:
    text = f"tls_server_config: {{{FILES}, cipher_suites: [TLS_AES_128_GCM_SHA256]}}"
    tls = load_web(loaded(tmp_path, text)).tls
    assert tls is not None
    assert (tls.minimum, tls.ciphers) == (ssl.TLSVersion.TLSv1_3, ())


def test_nothing_is_put_in_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CERT", "x")
    tls = load_web(loaded(tmp_path, "tls_server_config: {cert_file: '${CERT}$$', key_file: k}")).tls
    assert tls is not None
    assert tls.cert_file == tmp_path / "${CERT}$$"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty; write tls_server_config or basic_auth_users"),
        ("tls_sever_config: {}", "unknown key; did you mean 'tls_server_config'?"),
        ("tls_server_config: {min_version: TLS13}", "cert_file: missing; TLS needs cert_file and"),
        (f"tls_server_config: {{{FILES}, cert: PEM}}", "text is not taken here; write cert_file"),
        (f"tls_server_config: {{{FILES}, min_version: TLS10}}", "must be TLS12 or TLS13; older"),
        (
            f"tls_server_config: {{{FILES}, min_version: TLS13, max_version: TLS12}}",
            "leaves no version",
        ),
        (
            f"tls_server_config: {{{CLIENTS}, client_auth_type: RequireAnyClientCert}}",
            "RequireAnyClientCert lets in certificates that nobody has verified, which this server",
        ),
        (
            f"tls_server_config: {{{CLIENTS}, client_auth_type: RequestClientCert}}",
            "cannot do; write RequireAndVerifyClientCert or VerifyClientCertIfGiven",
        ),
        (f"tls_server_config: {{{FILES}, client_auth_type: Verify}}", "not a kind of client auth"),
        (
            f"tls_server_config: {{{FILES}, client_auth_type: RequireAndVerifyClientCert}}",
            "client_ca_file: missing; RequireAndVerifyClientCert needs it",
        ),
        (f"tls_server_config: {{{CLIENTS}}}", "without effect, no certificates are asked for"),
        (
            f"tls_server_config: {{{CLIENTS}, client_auth_type: VerifyClientCertIfGiven, "
            "client_allowed_sans: [a]}",
            "a client without a certificate has no names",
        ),
        (
            f"tls_server_config: {{{FILES}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}",
            "'TLS_RSA_WITH_RC4_128_SHA' is no suite",
        ),
        (f"tls_server_config: {{{FILES}, curve_preferences: [P256]}}", "did you mean 'CurveP256'?"),
        (
            f"tls_server_config: {{{FILES}, curve_preferences: [X25519, CurveP256]}}",
            "an order of several curves cannot be set here",
        ),
        ("basic_auth_users: {a: s3cret}", "not a bcrypt hash; make one with `htpasswd -nBC 10"),
        (f"basic_auth_users: {{a: '{HASH.replace('$04$', '$31$')}'}}", "cost 31 takes too long"),
        (f"basic_auth_users: {{a: '{HASH.replace('$04$', '$03$')}'}}", "not a bcrypt hash"),
        ("basic_auth_users: {a: 7}", "must be text"),
        (f"basic_auth_users: {{'a:b': '{HASH}'}}", "not empty and has no colon"),
        ("http_server_config: {headers: {Set-Cookie: a}}", "cannot be set; known here: Content-S"),
        ("http_server_config: {headers: {X-Frame-Options: x}}", "must be deny or sameorigin"),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\nb"}}', "one line of ASCII"),
        ("http_server_config: {http2: maybe}", "must be true or false"),
        ("rate_limit: {interval: 1, burst: 1}", "not a duration; write it like 100ms or 1s"),
        ("rate_limit: {interval: 1s}", "without a burst of 1 or more, no request is answered"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = loaded(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_web(file)
    assert str(caught.value).startswith(str(file))
    assert told in str(caught.value)
    assert "s3cret" not in str(caught.value)


KEYS = ("tls_server_config", "http_server_config", "basic_auth_users", "rate_limit", "headers",
        "cert_file", "key_file", "client_auth_type", "min_version", "cipher_suites", "burst",
        "interval", "client_allowed_sans", "curve_preferences", "x")  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


ONE_FOLDER = [HealthCheck.function_scoped_fixture]


@settings(max_examples=300, deadline=None, suppress_health_check=ONE_FOLDER)
@given(st.dictionaries(st.sampled_from(KEYS), ANY, max_size=4))
def test_whatever_is_in_it_is_taken_or_told(tmp_path: Path, content: dict[str, object]) -> None:
    file = loaded(tmp_path, yaml.safe_dump(content))
    told = ""
    try:
        load_web(file)
    except ConfigError as error:
        told = str(error)
    assert all(one.startswith(f"{file}:") for one in told.splitlines())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yml: cannot be read: No such file or directory"):
        load_web(tmp_path / "none.yml")


def test_promtool_takes_the_sample_as_we_do(tmp_path: Path) -> None:
    authority = Authority()
    authority.server(tmp_path)
    authority.write(tmp_path / "clients.crt")
    file = loaded(tmp_path, SAMPLE.read_text())
    checked = promtool("check", "web-config", file)
    assert checked.returncode == 0, checked.stderr
    found = load_web(file)
    assert found.tls is not None
    assert all(one.is_file() for one in found.files)
    assert found.tls.clients is ssl.CERT_REQUIRED
