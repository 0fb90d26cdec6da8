"""Creates a certificate authority for one test run, and a certificate with a key for each named server.

Usage: python certificates.py FOLDER NAME…

Writes ca.pem into FOLDER, and for each NAME a file NAME.pem that begins with the server's key. The certificates are
valid for an hour.
"""

import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(subject, key, issuer, issuer_key, *extensions):
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(subject))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(hours=1))
        .not_valid_after(NOW + datetime.timedelta(hours=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


folder = pathlib.Path(sys.argv[1])
authority = "A test's authority"
authority_key = ec.generate_private_key(ec.SECP256R1())
is_authority = (x509.BasicConstraints(ca=True, path_length=0), True)
(folder / "ca.pem").write_bytes(certificate(authority, authority_key, authority, authority_key, is_authority))
for name in sys.argv[2:]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    alternative = (x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    server = (x509.BasicConstraints(ca=False, path_length=None), True)
    pem = certificate(name, key, authority, authority_key, server, alternative)
    (folder / f"{name}.pem").write_bytes(private + pem)
