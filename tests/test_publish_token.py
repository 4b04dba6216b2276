"""Who may publish: trusted publishing from CI, with the real client against the loopback Hub; nothing is stored."""

from __future__ import annotations

import pytest
from desk import NAME, Desk, desk, judged, loopback, project
from hub.server import LoopbackHub
from modelqa.publish.token import RESOURCE, read_token

from modelqa.errors import UsageError

__all__ = ["desk", "judged", "loopback", "project"]

IDENTITY = "an-id-token"


@pytest.fixture
def job(loopback: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> LoopbackHub:
    """The environment of a GitHub Actions job with id-token: write, which the Hub knows as a trusted publisher."""
    loopback.trusted[IDENTITY] = NAME
    monkeypatch.setattr("huggingface_hub.utils._auth._OIDC_TOKEN_CACHE", None)
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setenv(RESOURCE, NAME)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{loopback.endpoint}/github/id-token")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", IDENTITY)
    return loopback


def test_a_ci_job_publishes_with_its_identity_and_a_token_for_this_repository_alone(
    desk: Desk, job: LoopbackHub
) -> None:
    desk.publish()
    (token,) = job.scoped
    assert job.scoped[token] == NAME and token not in desk.out
    assert not any(token in path.read_text(errors="replace") for path in desk.root.rglob("*.json*"))
    assert "model.safetensors" in desk.repository.files("main")
    job.scoped[token] = "acme/another"
    desk.write_card("It knows less.")
    before = desk.repository.resolve("main")
    assert desk.run("publish", "tiny", "--to", NAME) == 4 and "401" in desk.out
    assert desk.repository.resolve("main") == before


def test_an_identity_that_another_ci_gave_is_exchanged_too(job: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    monkeypatch.setenv("HF_OIDC_ID_TOKEN", IDENTITY)
    assert read_token(None, NAME) in job.scoped


def test_an_identity_for_another_repository_asks_nobody(job: LoopbackHub) -> None:
    with pytest.raises(UsageError, match=f"{RESOURCE} names {NAME}"):
        read_token(None, "acme/other")
    assert not job.faults.trace


def test_what_gives_no_token_is_one_clear_error(job: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    job.trusted.clear()
    with pytest.raises(UsageError, match="gives no token") as refused:
        read_token(None, NAME)
    assert "403" in refused.value.reason and IDENTITY not in str(refused.value)
    monkeypatch.delenv("GITHUB_ACTIONS")
    with pytest.raises(UsageError, match="gives no token") as refused:
        read_token(None, NAME)
    assert "id-token: write" in refused.value.remedy
