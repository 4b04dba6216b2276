"""The optional signature: over report and manifest, with a real key pair; whoever has no private key cannot make it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from desk import NAME, Desk, desk, judged, loopback, project
from modelqa.publish import signature
from modelqa.publish.release_files import MANIFEST, SIGNATURE
from modelqa.publish.signature import key_digest, sign, wrong_signature

from modelqa.errors import UsageError

__all__ = ["desk", "judged", "loopback", "project"]

pytest.importorskip("model_signing", reason="signatures need the extra: pip install 'modelqa[sign]'")

REPORT_BYTES, MANIFEST_BYTES = b'{"gates": []}', b'{"files": []}'


@dataclass(frozen=True)
class Pair:
    """The two PEM files of a key pair."""

    private: Path
    public: Path


def make_pair(folder: Path, name: str, password: bytes = b"") -> Pair:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    made = ec.generate_private_key(ec.SECP256R1())
    locked = form.BestAvailableEncryption(password) if password else form.NoEncryption()
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.pub")
    pair.private.write_bytes(made.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked))
    public = made.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    pair.public.write_bytes(public)
    return pair


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "own")


def test_a_signature_holds_for_its_two_files_and_its_key_alone(pair: Pair, tmp_path: Path) -> None:
    made = sign(REPORT_BYTES, MANIFEST_BYTES, pair.private)
    assert not wrong_signature(REPORT_BYTES, MANIFEST_BYTES, made, pair.public)
    assert wrong_signature(REPORT_BYTES + b" ", MANIFEST_BYTES, made, pair.public)
    assert wrong_signature(REPORT_BYTES, MANIFEST_BYTES + b" ", made, pair.public)
    assert wrong_signature(MANIFEST_BYTES, REPORT_BYTES, made, pair.public)
    assert wrong_signature(REPORT_BYTES, MANIFEST_BYTES, b"{}", pair.public)
    assert wrong_signature(REPORT_BYTES, MANIFEST_BYTES, made, make_pair(tmp_path, "other").public)


def test_a_signature_that_holds_is_kept_and_another_is_made_anew(pair: Pair, tmp_path: Path) -> None:
    made = sign(REPORT_BYTES, MANIFEST_BYTES, pair.private)
    assert sign(REPORT_BYTES, MANIFEST_BYTES, pair.private, before=made) == made
    for report, before in ((b"{}", made), (REPORT_BYTES, b"nonsense")):
        again = sign(report, MANIFEST_BYTES, pair.private, before=before)
        assert again != before and not wrong_signature(report, MANIFEST_BYTES, again, pair.public)
    other = make_pair(tmp_path, "other")
    assert sign(REPORT_BYTES, MANIFEST_BYTES, other.private, before=made) != made


def test_a_locked_key_opens_with_the_password_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = make_pair(tmp_path, "locked", b"open sesame")
    with pytest.raises(UsageError, match="cannot be used to sign"):
        sign(REPORT_BYTES, MANIFEST_BYTES, locked.private)
    monkeypatch.setenv(signature.PASSWORD, "open sesame")
    assert not wrong_signature(
        REPORT_BYTES, MANIFEST_BYTES, sign(REPORT_BYTES, MANIFEST_BYTES, locked.private), locked.public
    )


def test_what_is_no_key_is_one_clear_error_that_shows_nothing_of_it(pair: Pair, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("a secret phrase")
    for key in (pair.public, tmp_path / "words", tmp_path / "none"):
        with pytest.raises(UsageError, match="cannot be used to sign") as refused:
            key_digest(key)
        assert "secret phrase" not in str(refused.value)
    for key in (pair.private, tmp_path / "words", tmp_path / "none"):
        with pytest.raises(UsageError, match="is no public key"):
            wrong_signature(REPORT_BYTES, MANIFEST_BYTES, b"", key)


def test_a_signed_release_is_verified_with_its_public_key(desk: Desk, pair: Pair, tmp_path: Path) -> None:
    desk.publish("--sign", str(pair.private))
    released = desk.repository.resolve("main") or ""
    assert desk.run("verify", NAME, "--key", str(pair.public)) == 0, desk.out
    assert "signed with the private half of own.pub" in desk.out
    card = desk.repository.content(desk.repository.tree(released)["README.md"]).decode()
    assert key_digest(pair.private) in card and "Unsigned" not in card
    desk.publish("--sign", str(pair.private))
    assert "nothing to change" in desk.out and desk.repository.resolve("main") == released

    assert desk.run("verify", NAME, "--key", str(make_pair(tmp_path, "other").public)) == 1
    assert "verify.signature" in desk.out
    desk.tamper(MANIFEST, lambda data: data + b"\n")
    assert desk.run("verify", NAME, "--key", str(pair.public)) == 1 and "verify.signature" in desk.out
    desk.repository.git("update-ref", "refs/heads/main", released)
    desk.put({}, delete=(SIGNATURE,))
    for options in ((), ("--key", str(pair.public))):
        assert desk.run("verify", NAME, *options) == 1 and "verify.signature" in desk.out


def test_an_unsigned_release_is_not_taken_for_a_signed_one(desk: Desk, pair: Pair) -> None:
    desk.publish()
    assert desk.run("verify", NAME) == 0 and "drift, not forgery" in desk.out
    assert desk.run("verify", NAME, "--key", str(pair.public)) == 1
    assert "verify.signature at modelqa/release.sig: the release is not signed" in desk.out
    desk.put({SIGNATURE: sign(REPORT_BYTES, MANIFEST_BYTES, pair.private)})
    assert desk.run("verify", NAME) == 1 and "the report does not name its key" in desk.out


def test_a_release_that_is_signed_later_is_the_same_release_told_anew(desk: Desk, pair: Pair) -> None:
    desk.publish()
    desk.publish("--sign", str(pair.private))
    assert desk.run("verify", NAME, "--key", str(pair.public)) == 0, desk.out
