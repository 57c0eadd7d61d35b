"""`q2mfa provider` on connections that cannot be trusted, and on answers without an end: over real sockets."""

from __future__ import annotations

import datetime
import gzip
import ssl
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from providers.lying_provider import METADATA_PATH, LyingProvider, running

from q2mfa_cli.provider.judgment import Judgment, judge
from q2mfa_cli.provider.observation import Failure, NoResponse, Observation
from q2mfa_cli.provider.visit import Target, visit

pytestmark = pytest.mark.server

NOW = datetime.datetime.now(datetime.timezone.utc)
HSTS = {"Strict-Transport-Security": "max-age=31536000"}


class Authority:
    """A certificate authority that requests and OpenSSL trust during a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of the tests")])
        self.file = folder / "authority.pem"
        self.certificate = self._signed(
            self.name, self.key.public_key(), self.name, self.key, 3650, is_authority=True
        )
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(
        self, host: str = "localhost", days: int = 90, signed_by_itself: bool = False
    ) -> ssl.SSLContext:
        """What a server needs to serve TLS with a certificate for *host* that expires in *days*."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        issuer, signer = (subject, key) if signed_by_itself else (self.name, self.key)
        certificate = self._signed(subject, key.public_key(), issuer, signer, days, host=host)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    @staticmethod
    def _signed(
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        issuer: x509.Name,
        signer: ec.EllipticCurvePrivateKey,
        days: int,
        *,
        host: str = "",
        is_authority: bool = False,
    ) -> x509.Certificate:
        # Half a day more, so that the number of whole days stays the same while the test runs.
        until = NOW + datetime.timedelta(days=days, hours=12)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=3650))
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            # Python 3.13 verifies strictly: it wants the identifiers, and what an authority's key is for.
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )
        if is_authority:
            usage = dict.fromkeys(
                ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment"], False
            )
            usage |= dict.fromkeys(["key_agreement", "crl_sign", "encipher_only", "decipher_only"], False)
            builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, **usage), critical=True)
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def old_protocol(authority: Authority) -> ssl.SSLContext:
    context = authority.server()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def outcome(judgment: Judgment, check: str) -> tuple[str, str, str]:
    """What the check says: passed or found …, how severe that is, and the sentence."""
    (finding,) = [finding for finding in judgment.findings if finding.check.id == check]
    return finding.outcome.kind.value, finding.severity, finding.outcome.text


@pytest.mark.parametrize(
    ("server", "failure", "expected", "said"),
    [
        (lambda authority: authority.server(), None, ("passed", "info"), "TLSv1.3"),
        (lambda authority: authority.server(days=20), None, ("found", "medium"), "expires in 20 days"),
        (
            lambda authority: authority.server(signed_by_itself=True),
            Failure.TLS,
            ("found", "high"),
            "self-signed",
        ),
        (
            lambda authority: authority.server(days=-2),
            Failure.TLS,
            ("found", "high"),
            "certificate has expired",
        ),
        (
            lambda authority: authority.server("other.example"),
            Failure.TLS,
            ("found", "high"),
            "certificate is not valid for 'localhost'",
        ),
        (old_protocol, Failure.TLS, ("found", "high"), "cannot be trusted"),
    ],
    ids=["good", "soon-expired", "self-signed", "expired", "other-host", "old-protocol"],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_check_judges_certificate_and_protocol(
    server: Callable[[Authority], ssl.SSLContext],
    failure: Failure | None,
    expected: tuple[str, str],
    said: str,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with running(server(authority)) as provider:
        provider.discovery_headers.update(HSTS)
        seen = visit(Target(provider.issuer))
    assert getattr(seen.discovery, "failure", None) is failure
    kind, severity, text = outcome(judge(seen), "tls")
    assert (kind, severity) == expected and said in text


def test_provider_without_hsts_is_a_low_finding(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with running(authority.server()) as provider:
        judgment = judge(visit(Target(provider.issuer)))
    assert outcome(judgment, "tls")[:2] == ("found", "low")


def metadata_failure(provider: LyingProvider, **target: Any) -> Failure | None:
    seen: Observation = visit(Target(provider.issuer, **target))
    return seen.discovery.failure if isinstance(seen.discovery, NoResponse) else None


def test_endless_answer_ends_at_the_time_limit() -> None:
    given_up = threading.Event()

    def write_endlessly(write: Callable[[bytes], Any]) -> None:
        # Each byte comes in time, and the answer has no end.
        while not given_up.wait(0.01):
            write(b" ")

    with running() as provider:
        provider.writers[METADATA_PATH] = write_endlessly
        assert metadata_failure(provider, seconds=0.1) is Failure.TIME
        given_up.set()


def test_stalled_answer_ends_at_the_time_limit() -> None:
    given_up = threading.Event()
    with running() as provider:
        provider.writers[METADATA_PATH] = lambda write: bool(given_up.wait())
        assert metadata_failure(provider, seconds=0.1) is Failure.TIME
        given_up.set()


@pytest.mark.parametrize("layers", [1, 2])
def test_compressed_answer_is_not_decompressed_beyond_the_size_limit(layers: int) -> None:
    bomb = b" " * 50_000_000
    for _ in range(layers):
        bomb = gzip.compress(bomb)
    with running() as provider:
        headers = {"Content-Encoding": ", ".join(["gzip"] * layers)}
        provider.answers[METADATA_PATH] = (200, headers, bomb)
        tracemalloc.start()
        try:
            assert metadata_failure(provider) is Failure.SIZE
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 10_000_000


def test_truncated_answer_is_a_protocol_error() -> None:
    with running() as provider:
        provider.answers[METADATA_PATH] = (200, {"Content-Length": "1000"}, b"{}")
        provider.writers[METADATA_PATH] = lambda write: None
        assert metadata_failure(provider) is Failure.PROTOCOL
