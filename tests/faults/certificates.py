"""A certificate authority for an afternoon, and servers that show good and bad certificates of it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Authority:
    """Signs certificates; `path` is what a client has to trust."""

    def __init__(self, folder: Path):
        self._folder, self._count = folder, 0
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test Authority")])
        self.path = folder / "authority.pem"
        certificate = self._builder(self._name, self._key, -10, 10).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        ).sign(self._key, hashes.SHA256())
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, since: int, until: int
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=since)).not_valid_after(now + dt.timedelta(days=until))
        )

    def server(
        self, *names: str, since: int = -5, until: int = 5, versions: tuple[ssl.TLSVersion, ssl.TLSVersion] | None = None
    ) -> ssl.SSLContext:
        """Return a server's context with a certificate for these names and addresses; days count from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = [
            x509.DNSName(name) if name[0].isalpha() else x509.IPAddress(ipaddress.ip_address(name)) for name in names
        ]
        certificate = self._builder(x509.Name([]), key, since, until).add_extension(
            x509.SubjectAlternativeName(alternatives), critical=True
        ).sign(self._key, hashes.SHA256())
        self._count += 1
        path = self._folder / f"server{self._count}.pem"
        path.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if versions is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = versions
        return context
