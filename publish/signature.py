"""An optional signature of a release (OpenSSF Model Signing, the extra `sign`): over report and manifest.

These two name everything else by hash, so that nothing of a signed release can be exchanged unseen. The signature is a
file beside them, made last; a release of the same bytes that is signed again stays the same release.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from modelqa.errors import UsageError
from modelqa.files import sha256_bytes

from .release_files import MANIFEST, REPORT

PASSWORD = "MODELQA_KEY_PASSWORD"  # the environment variable with the password of an encrypted key: never an argument


def key_digest(key: Path) -> str:
    """Hex sha256 of the public half of a private key, which the report names; `UsageError` when it is no such key."""
    return sha256_bytes(_public(key, pem=False))


def sign(report: bytes, manifest: bytes, key: Path, *, before: bytes = b"") -> bytes:
    """The signature of two files with a private key; `before` when that is one already.

    A signature is different each time that it is made: without `before`, each run would publish another one.
    """
    with _folder(report, manifest) as folder:
        public = folder.parent / "public.pem"
        public.write_bytes(_public(key, pem=True))
        if before and not _wrong(folder, before, public):
            return before
        made = folder.parent / "made"
        try:
            signer = _library("signing").Config().use_elliptic_key_signer(private_key=key, password=_password())
            signer.sign(folder, made)
        except (ValueError, TypeError, OSError) as error:
            raise _no_key(key, error) from None
        return made.read_bytes()


def wrong_signature(report: bytes, manifest: bytes, signature: bytes, key: Path) -> str:
    """Why a signature is not that of a public key over these two files; "" when it is.

    `UsageError` when the key cannot be used.
    """
    _library("verifying")
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        if not isinstance(load_pem_public_key(key.read_bytes()), EllipticCurvePublicKey):
            raise ValueError("it is of another kind")
    except (ValueError, OSError) as error:
        raise UsageError(
            f"{key} is no public key", reason=str(error), remedy="name the PEM file of an elliptic-curve public key"
        ) from None
    with _folder(report, manifest) as folder:
        return _wrong(folder, signature, key)


def _wrong(folder: Path, signature: bytes, public: Path) -> str:
    path = folder.parent / "signature"
    path.write_bytes(signature)
    verifier = _library("verifying").Config().use_elliptic_key_verifier(public_key=public)
    try:
        verifier.verify(folder, path)
    except Exception as error:  # the library has no error of its own, and whatever it raises, nothing was verified
        return " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return ""


@contextmanager
def _folder(report: bytes, manifest: bytes) -> Iterator[Path]:
    """A folder that holds the two files alone, in another one that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="modelqa-") as place:
        folder = Path(place) / "release"  # this name stands in the signature
        for path, data in ((REPORT, report), (MANIFEST, manifest)):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        yield folder


def _library(module: str) -> Any:
    """A module of model-signing; `UsageError` when it is not installed."""
    if find_spec("model_signing") is None:
        raise UsageError(
            "signatures need the package model-signing",
            reason="it is an extra that is not installed",
            remedy="pip install 'modelqa[sign]'",
        )
    from importlib import import_module

    return import_module(f"model_signing.{module}")


def _public(key: Path, *, pem: bool) -> bytes:
    """The public half of an elliptic-curve private key in a PEM file, as PEM or as DER."""
    _library("signing")
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        found = load_pem_private_key(key.read_bytes(), _password())
        if not isinstance(found, EllipticCurvePrivateKey):
            raise ValueError("it is of another kind")
    except (ValueError, TypeError, OSError) as error:
        raise _no_key(key, error) from None
    encoding = Encoding.PEM if pem else Encoding.DER
    return found.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def _password() -> bytes | None:
    """As bytes: model-signing says that it takes a text, and hands it on to a function that takes bytes alone."""
    return os.environ.get(PASSWORD, "").encode() or None


def _no_key(key: Path, error: Exception) -> UsageError:
    return UsageError(
        f"{key} cannot be used to sign",
        reason=f"it is no readable elliptic-curve private key ({type(error).__name__})",
        remedy=f"name a PEM file: openssl ecparam -name prime256v1 -genkey -noout -out KEY; its password in {PASSWORD}",
    )
