"""Endpoints behind TLS: whose certificate is trusted, and what is said where it is not."""

import asyncio
import datetime
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fake_endpoint import serve

from turnwright.models.endpoint import Endpoint
from turnwright.models.failures import Failure
from turnwright.models.probe import probe_endpoint


def make_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that signs itself: the file to trust, and the server's side of it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "turnwright test")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trusted, private = folder / "certificate.pem", folder / "key.pem"
    trusted.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(trusted, private)
    return trusted, server


async def post_twice(url: str) -> list[int]:
    endpoint = Endpoint(url)
    try:
        return [(await endpoint.post("/chat/completions", b"{}"))[0] for _ in range(2)]
    finally:
        await endpoint.close()


def test_an_authority_that_the_environment_names_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted, server = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with serve(tls=server) as fake:
        assert asyncio.run(post_twice(fake.url)) == [200, 200]
    assert len(fake.connections) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(tmp_path: Path) -> None:
    _, server = make_certificate(tmp_path)
    with serve(tls=server) as fake:
        with pytest.raises(Failure, match="certificate is not trusted") as caught:
            asyncio.run(post_twice(fake.url))
        found = asyncio.run(probe_endpoint(fake.url, "tiny"))
    assert not caught.value.is_infrastructure  # no later try would meet another certificate
    assert (found.status, "SSL_CERT_FILE" in found.hint) == ("refused", True)
    assert not fake.requests


def test_https_where_http_is_spoken_is_said() -> None:
    with serve() as fake:
        found = asyncio.run(probe_endpoint(fake.url.replace("http:", "https:"), "tiny"))
    assert (found.status, "http://" in found.hint) == ("refused", True)
