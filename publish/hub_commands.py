"""`modelqa publish`, `modelqa verify`, `modelqa rollback`: the publisher's commands that talk to the Hub."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from modelqa.checkpoint.hub import is_hub_id
from modelqa.errors import HubError, UsageError
from modelqa.text import escape

from . import ledger
from .commands import add_source_arguments, inputs_of
from .hub import Hub, connect
from .policy import Request, read_policy
from .push import KEPT, NOTHING, plan, publish
from .releasing import Releasing
from .replay import replay
from .rollback import go_back, way_back
from .token import read_token, writing_token
from .verify import Verified, verify


def add_publish_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa publish`."""
    parser.add_argument("model", help="a name in models.toml")
    parser.add_argument("--to", metavar="ORG/NAME", help="the repository (default: the model's in models.toml)")
    parser.add_argument("--experimental", action="store_true", help="publish it as an experiment, with a postmortem")
    parser.add_argument("--dry-run", action="store_true", help="show the decision and every file; change nothing")
    parser.add_argument("--private", action="store_true", help="a repository that has to be made is private")
    parser.add_argument("--adopt", default="", metavar="REASON", help="replace files that have no record, and say why")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="sign report and manifest with this private key (PEM)")
    add_source_arguments(parser)
    _add_token(parser)
    parser.set_defaults(handler=publish_model)


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa verify`."""
    parser.add_argument("repository", metavar="ORG/NAME[@REV]", help="REV: a tag, branch or commit (default: main)")
    parser.add_argument("--replay", type=int, default=0, metavar="N", help="ask N stored prompts again")
    parser.add_argument("--key", type=Path, metavar="KEY", help="public key (PEM) that has to have signed it")
    parser.add_argument("--modelqa-dir", type=Path, default=Path(".modelqa"), help="where the local ledger is")
    _add_token(parser)
    parser.set_defaults(handler=verify_repository)


def add_rollback_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `modelqa rollback`."""
    parser.add_argument("repository", metavar="ORG/NAME", help="the repository whose release is replaced")
    parser.add_argument("--to", required=True, metavar="TAG", help="the tag of the release to go back to")
    parser.add_argument("--dry-run", action="store_true", help="show what would change; change nothing")
    parser.add_argument("--modelqa-dir", type=Path, default=Path(".modelqa"), help="where the local ledger is")
    _add_token(parser)
    parser.set_defaults(handler=roll_back)


def publish_model(parsed: argparse.Namespace) -> int:
    """Publish a judged model, or show what that would do."""
    inputs = inputs_of(parsed)
    model = inputs.model
    policy = read_policy(inputs.settings.policy, f"{parsed.cards / model.name}.md")
    target = _target(parsed.to or (model.experimental_repo if parsed.experimental else model.repo))
    token = read_token(parsed.token_file, target)
    hub = connect(target, token=token)
    canonical = Hub(model.repo, hub.api) if model.repo and model.repo != target else None
    request = Request(target, model.name, parsed.experimental, parsed.adopt.strip(), len(inputs.own_postmortems))
    releasing = Releasing(hub, inputs, request, policy, parsed.suites, canonical, parsed.sign)
    if parsed.dry_run:
        return _show(hub, releasing)
    writing_token(token)
    done = publish(hub, releasing, private=parsed.private, kept=(*KEPT, *policy.keep))
    ledger.append(parsed.modelqa_dir, done.entry)
    with tempfile.TemporaryDirectory(prefix="modelqa-") as folder:
        _sound(verify(hub, done.entry.tag, Path(folder), ledger=ledger.read(parsed.modelqa_dir)))
    print(f"{'published' if done.changed else 'nothing to change'}: {target}@{done.entry.tag} ({done.entry.commit})")
    return 0


def verify_repository(parsed: argparse.Namespace) -> int:
    """Print everything that is wrong with a published release; 0 when nothing is."""
    name, _, revision = parsed.repository.partition("@")
    hub = connect(_target(name), token=read_token(parsed.token_file, name))
    with tempfile.TemporaryDirectory(prefix="modelqa-") as folder:
        found = verify(hub, revision or "main", Path(folder), ledger=ledger.read(parsed.modelqa_dir), key=parsed.key)
        problems, asked = list(found.problems), 0
        if parsed.replay and not problems:
            asked, problems = replay(Path(folder), found.report, parsed.replay)
    for problem in problems:
        print(escape(f"{problem.code} at {problem.locus}: {problem.text}", "terminal", limit=600))
    again = f", {asked} of {parsed.replay} prompts asked again" if asked else ""
    print(f"{name}@{found.commit[:12]}: {len(found.files)} files{again}, {len(problems)} problem(s)")
    print(f"the card was not rendered again: {found.unrendered}" if found.unrendered else "the card was rendered again")
    if not problems:
        print(f"nothing differs; {_bears(found, parsed.key)}")
    return 1 if problems else 0


def _bears(found: Verified, key: Path | None) -> str:
    """What a comparison without a difference can bear."""
    if key:
        return f"report and manifest were signed with the private half of {key.name}"
    signed = "signed, but no --key was given" if found.report.get("signature") else "not signed"
    return f"{signed}: this shows drift, not forgery"


def roll_back(parsed: argparse.Namespace) -> int:
    """Give a branch the files of an earlier release back."""
    token = read_token(parsed.token_file, _target(parsed.repository))
    hub = connect(parsed.repository, token=token)
    with tempfile.TemporaryDirectory(prefix="modelqa-") as folder:
        way = way_back(hub, parsed.to, Path(folder), ledger=ledger.read(parsed.modelqa_dir))
        _list("restore", way.restore)
        _list("delete", way.delete)
        if parsed.dry_run:
            return 0
        writing_token(token)
        entry = go_back(hub, way)
    ledger.append(parsed.modelqa_dir, entry)
    print(f"{hub.name} holds {parsed.to} again: {entry.tag} ({entry.commit})")
    return 0


def _show(hub: Hub, releasing: Releasing) -> int:
    """What a release would do to the head, without doing it."""
    head = hub.head() or NOTHING
    _, _, decision = releasing.decision(head)
    release = releasing(head)
    todo = plan(release, head, (*KEPT, *releasing.policy.keep))
    print(escape(f"{decision.role}: {decision.why}", "terminal"))
    for what, reason in decision.overrides.items():
        print(escape(f"override of {what}: {reason}", "terminal"))
    for name in ("add", "change", "same", "delete", "kept"):
        _list(name, getattr(todo, name))
    size = sum(release.by_path[path].size for path in (*todo.add, *todo.change))
    print(f"release {release.id[:12]}: {len(release.files)} files, {size:,} bytes to send; nothing was changed")
    return 0


def _list(what: str, paths: tuple[str, ...]) -> None:
    for path in paths:
        print(escape(f"{what:8} {path}", "terminal"))


def _sound(verified: Verified) -> None:
    if verified.problems:
        first = verified.problems[0]
        raise HubError(
            f"{verified.repository} was published, and does not verify at its tag",
            reason=f"{first.code} at {first.locus}: {first.text}",
            remedy=f"modelqa verify {verified.repository} lists everything; modelqa rollback goes back",
        )


def _target(name: str) -> str:
    if not name:
        raise UsageError("there is no repository to publish to", reason="neither --to nor models.toml names one",
                         remedy='--to ORG/NAME, or repo = "ORG/NAME" in models.toml')  # fmt: skip
    if not is_hub_id(name):
        raise UsageError(f"{name!r} is no repository", reason="it has the form ORG/NAME", remedy="correct it")
    return name


def _add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--token-file", type=Path, help="file that holds the token (default: the variable HF_TOKEN)")
