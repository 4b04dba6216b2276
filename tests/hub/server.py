"""The Hub's HTTP answers over a store, for the real huggingface_hub client.

Copied from the Hub's documentation and from the client's source: the routes, the shape of each JSON answer, the header
names, the status codes (412 for a stale parent commit, 409 for what exists already, X-Error-Code for what is missing).
Ours: which files are large (.safetensors, .bin, or more than 10 MB), and everything behind the answers, which is git.
"""

from __future__ import annotations

import base64
import json
import select
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from hub.faults import Answer, Call, Faults
from hub.store import Blob, NoSuchEntry, PullRequest, Repository, StaleParent, pointer

WRITE, READ = "hf_loopbackwrite", "hf_loopbackread"  # the two tokens that this Hub knows
LARGE = 10 << 20
BENCHMARKS = ("openai/gsm8k", "cais/hle")  # the datasets that count as registered here
DATE = "2026-01-01T00:00:00.000Z"


@dataclass
class Request:
    """One request, parsed: `parts` is the unquoted path, split at "/" before unquoting."""

    method: str
    parts: list[str]
    query: dict[str, str]
    body: bytes
    token: str

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def ok(value: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    return Answer(status, {"Content-Type": "application/json", **headers}, json.dumps(value).encode())


def refused(status: int, message: str, code: str = "") -> Answer:
    """An error as the Hub words it."""
    return ok({"error": message}, status, **({"X-Error-Code": code} if code else {}), **{"X-Error-Message": message})


@dataclass
class LoopbackHub:
    """A Hub on 127.0.0.1 over the repositories in `folder`; a context manager that serves while it is open.

    xet      offer the Xet storage mode too; a client that has Xet switched off uses LFS all the same
    faults   what shall happen to which call, and the trace of the calls
    port     0: any that is free
    trusted  {what a CI job proves its identity with: the repository that it may publish to}
    scoped   {token that such an identity was exchanged for: the one repository that it may write to}
    """

    folder: Path
    xet: bool = False
    port: int = 0
    faults: Faults = field(default_factory=Faults)
    repositories: dict[str, Repository] = field(default_factory=dict)
    trusted: dict[str, str] = field(default_factory=dict)
    scoped: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> LoopbackHub:
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def repository(self, name: str) -> Repository:
        """The repository of that name, made when there is none."""
        if name not in self.repositories:
            self.repositories[name] = Repository.create(self.folder / f"{name}.git")
        return self.repositories[name]

    def answer(self, request: Request) -> Answer:
        """What the Hub says to a request, with its effect on the store."""
        parts = request.parts
        if parts == ["oauth", "token"]:
            return self._exchange(request.json())
        if parts == ["github", "id-token"]:  # what GitHub Actions serves to a job that may ask for its identity
            return ok({"value": request.token})
        if request.method != "GET" and request.method != "HEAD" and parts[0] != "lfs" and "paths-info" not in parts:
            if request.token == READ:
                return refused(403, "You don't have the rights required to perform this action")
            if request.token != WRITE and not self._in_scope(request) and parts != ["api", "validate-yaml"]:
                return refused(401, "Invalid credentials", "RepoNotFound")
        if parts == ["api", "validate-yaml"]:
            return _validated(request.json()["content"])
        if parts == ["api", "repos", "create"]:
            return self._create(request.json())
        if parts[0] == "lfs":
            return self._upload(request)
        name = "/".join(parts[2:4] if parts[:2] == ["api", "models"] else parts[:2]).removesuffix(".git")
        repository = self.repositories.get(name)
        if repository is None:
            return refused(404, "Repository not found", "RepoNotFound")
        if parts[0] != "api":
            rest = parts[2:]
            if rest[:1] == ["resolve"]:
                return self._resolve(repository, name, rest[1], "/".join(rest[2:]), request)
            return self._batch(repository, name, request.json())
        route = ROUTES.get((request.method if request.method != "HEAD" else "GET", parts[4] if len(parts) > 4 else ""))
        return route(self, repository, name, parts[5:], request) if route else refused(404, "no such route")

    def _exchange(self, wanted: dict[str, Any]) -> Answer:
        """A token for the repository whose trusted publisher proves its identity (OAuth's token exchange)."""
        repository = self.trusted.get(wanted["subject_token"])
        if (
            not wanted["grant_type"].endswith(":token-exchange")
            or repository is None
            or repository != wanted["resource"]
        ):
            return refused(403, "no trusted publisher of this repository")
        token = f"hf_jwt_loopback{len(self.scoped)}"
        self.scoped[token] = repository
        return ok({"access_token": token, "token_type": "bearer", "expires_in": 3600})

    def _in_scope(self, request: Request) -> bool:
        """Whether a request writes to the one repository that its token is for."""
        parts = request.parts
        name = "/".join(parts[2:4] if parts[:2] == ["api", "models"] else parts[:2]).removesuffix(".git")
        if parts == ["api", "repos", "create"]:
            name = "{organization}/{name}".format(**request.json())
        return request.token in self.scoped and self.scoped[request.token] == name

    def _create(self, wanted: dict[str, Any]) -> Answer:
        name = f"{wanted['organization']}/{wanted['name']}"
        if name in self.repositories:
            return refused(409, "You already created this model repo")
        self.repository(name)
        return ok({"url": f"{self.endpoint}/{name}", "name": name})

    def _batch(self, repository: Repository, name: str, wanted: dict[str, Any]) -> Answer:
        objects = []
        for entry in wanted["objects"]:
            if repository.has_object(entry["oid"]):
                objects.append(entry)
            else:
                href = f"{self.endpoint}/lfs/{name}/{entry['oid']}"
                objects.append({**entry, "actions": {"upload": {"href": href}, "verify": {"href": f"{href}/verify"}}})
        return ok({"transfer": "basic", "objects": objects})

    def _upload(self, request: Request) -> Answer:
        repository, oid = self.repositories["/".join(request.parts[1:3])], request.parts[3]
        if request.parts[4:] == ["verify"]:
            return ok({}) if repository.has_object(oid) else refused(404, "Object does not exist")
        kept = repository.keep_object(oid, request.body)
        return ok({}) if kept else refused(422, "Content does not match its sha256")

    def _resolve(self, repository: Repository, name: str, revision: str, path: str, request: Request) -> Answer:
        commit = repository.resolve(revision)
        if commit is None:
            return refused(404, "Invalid rev id", "RevisionNotFound")
        blob = repository.tree(commit).get(path)
        if blob is None:
            return refused(404, "Entry not found", "EntryNotFound")
        headers = {"X-Repo-Commit": commit, "ETag": f'"{blob.lfs[0] if blob.lfs else blob.oid}"'}
        if blob.lfs:
            headers |= {"X-Linked-Etag": f'"{blob.lfs[0]}"', "X-Linked-Size": str(blob.lfs[1])}
            if xet_hash := repository.xet.hash_of(blob.lfs[0]):
                route = f"{self.endpoint}/api/models/{name}/xet-read-token/{commit}"
                headers |= {"X-Xet-Hash": xet_hash, "Link": f'<{route}>; rel="xet-auth"'}
        return Answer(200, headers, repository.content(blob))

    def _info(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        commit = repository.resolve(rest[0] if rest else "main")
        if commit is None:
            return refused(404, "Invalid rev id", "RevisionNotFound")
        if request.query.get("expand") == "evalResults":
            return ok({"id": name, "modelId": name, "evalResults": _eval_results(repository, commit)})
        siblings = [{"rfilename": path} for path in repository.tree(commit)]
        return ok({"id": name, "modelId": name, "sha": commit, "siblings": siblings, "private": False, "tags": []})

    def _tree(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        commit = repository.resolve(rest[0])
        if commit is None:
            return refused(404, "Invalid rev id", "RevisionNotFound")
        return ok([_entry(blob) for blob in repository.tree(commit).values()])

    def _paths(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        commit = repository.resolve(rest[0])
        if commit is None:
            return refused(404, "Invalid rev id", "RevisionNotFound")
        body = request.body.decode()
        wanted = json.loads(body)["paths"] if body.startswith("{") else parse_qs(body)["paths"]
        tree = repository.tree(commit)
        return ok([_entry(tree[path]) for path in wanted if path in tree])

    def _refs(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        def rows(prefix: str) -> list[dict[str, str]]:
            return [
                {"name": short, "ref": f"{prefix}/{short}", "targetCommit": commit}
                for short, commit in repository.refs(prefix).items()
            ]

        return ok({"branches": rows("refs/heads"), "converts": [], "tags": rows("refs/tags"),
                   "pullRequests": rows("refs/pr")})  # fmt: skip

    def _log(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        return ok([
            {"id": commit, "title": title, "message": body, "date": DATE, "authors": [{"user": "loopback"}]}
            for commit, title, body in repository.log(rest[0])
        ])  # fmt: skip

    def _preupload(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        tree = repository.tree(repository.resolve(rest[0]) or "")
        files = []
        for entry in request.json()["files"]:
            path, old = entry["path"], tree.get(entry["path"])
            large = path.endswith((".safetensors", ".bin")) or entry["size"] > LARGE
            oid = (old.lfs[0] if old.lfs else old.oid) if old else None
            mode = {"uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            files.append({"path": path, **mode, **({"oid": oid} if oid else {})})
        return ok({"files": files})

    def _commit(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        header, files, delete = _operations(request.body)
        missing = [data[0] for data in files.values() if isinstance(data, tuple) and not repository.has_object(data[0])]
        if missing:
            return refused(400, f"LFS object {missing[0]} is not in storage")
        contents = {
            path: data if isinstance(data, bytes) else pointer(data[0], data[1] or len(repository.object(data[0])))
            for path, data in files.items()
        }
        message = "\n\n".join(text for text in (header["summary"], header.get("description", "")) if text)
        try:
            if request.query.get("create_pr"):
                return self._pull(repository, name, header, contents, delete, message)
            oid = repository.commit(f"refs/heads/{rest[0]}", contents, message=message, delete=delete,
                                    parent=header.get("parentCommit"))  # fmt: skip
        except StaleParent:
            return refused(412, "The branch was updated since you opened this page. Please refresh and try again.")
        except NoSuchEntry as error:
            return refused(404, f"A file with this name doesn't exist: {error}", "EntryNotFound")
        return ok({"commitOid": oid, "commitUrl": f"{self.endpoint}/{name}/commit/{oid}"})

    def _pull(self, repository: Repository, name: str, header: dict[str, Any], contents: dict[str, bytes],
              delete: list[str], message: str) -> Answer:  # fmt: skip
        with repository.lock:
            number = len(repository.pull_requests) + 1
            base = header.get("parentCommit") or repository.resolve("main")
            oid = repository.commit(f"refs/pr/{number}", contents, message=message, delete=delete, base=base)
            repository.pull_requests.append(PullRequest(number, header["summary"]))
        return ok({"commitOid": oid, "commitUrl": f"{self.endpoint}/{name}/commit/{oid}",
                   "pullRequestUrl": f"{self.endpoint}/{name}/discussions/{number}"})  # fmt: skip

    def _tag(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        commit, wanted = repository.resolve(rest[0]), request.json()
        if commit is None:
            return refused(404, "Invalid rev id", "RevisionNotFound")
        if not repository.tag(wanted["tag"], commit, wanted.get("message")):
            return refused(409, "Tag reference exists already")
        return ok({})

    def _discussions(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        shown = [pull for pull in repository.pull_requests
                 if request.query.get("status") != "open" or pull.status in ("open", "draft")]  # fmt: skip
        rows = [
            {"num": pull.number, "title": pull.title, "status": pull.status, "isPullRequest": True, "createdAt": DATE,
             "author": {"name": "loopback"}, "repo": {"name": name, "type": "model"}}
            for pull in shown
        ]  # fmt: skip
        return ok({"discussions": rows, "count": len(rows), "start": 0})

    def _discuss(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        pull = repository.pull_requests[int(rest[0]) - 1]
        event = {"id": "0", "author": {"name": "loopback"}, "createdAt": DATE}
        if rest[1] == "merge":
            if pull.status == "draft":
                return refused(400, "A draft cannot be merged")
            repository.merge(pull.number)
            pull.status = "merged"
            return ok({})
        pull.status = request.json()["status"]
        return ok({"newStatus": {**event, "type": "status-change", "data": {"status": pull.status}}})

    def _xet_token(self, repository: Repository, name: str, rest: list[str], request: Request) -> Answer:
        if not self.xet:
            return refused(404, "Xet is not offered")
        token = {"casUrl": repository.xet.url, "exp": 4_000_000_000, "accessToken": "loopback"}
        return ok(token, **{"X-Xet-Cas-Url": token["casUrl"], "X-Xet-Access-Token": "loopback",
                            "X-Xet-Token-Expiration": str(token["exp"])})  # fmt: skip


Route = Callable[[LoopbackHub, Repository, str, list[str], Request], Answer]
ROUTES: dict[tuple[str, str], Route] = {
    ("GET", ""): LoopbackHub._info,
    ("GET", "revision"): LoopbackHub._info,
    ("GET", "tree"): LoopbackHub._tree,
    ("POST", "paths-info"): LoopbackHub._paths,
    ("GET", "refs"): LoopbackHub._refs,
    ("GET", "commits"): LoopbackHub._log,
    ("POST", "preupload"): LoopbackHub._preupload,
    ("POST", "commit"): LoopbackHub._commit,
    ("POST", "tag"): LoopbackHub._tag,
    ("GET", "discussions"): LoopbackHub._discussions,
    ("POST", "discussions"): LoopbackHub._discuss,
    ("GET", "xet-write-token"): LoopbackHub._xet_token,
    ("GET", "xet-read-token"): LoopbackHub._xet_token,
}


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, asks the faults what shall become of it, and sends the answer."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # headers and body leave in one packet: in two, the second waits 40 ms for an acknowledgement
    server_hub: LoopbackHub

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else self._chunks()
        split = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(split.query).items()}
        parts = [unquote(part) for part in split.path.strip("/").split("/")]
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        request = Request(self.command, parts, query, body, token)
        hub = self.server_hub
        call = Call.of(self.command, parts, query)
        answer = hub.faults.through(call, lambda: hub.answer(request), self._until_the_client_leaves)
        if answer is None:  # the connection is lost
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.cut] if answer.cut is not None else answer.body)
        if answer.cut is not None:
            self.close_connection = True

    def _until_the_client_leaves(self) -> None:
        select.select([self.connection], [], [], 60)  # readable when it closes its end

    def _chunks(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return b""
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve

    def log_message(self, *_: object) -> None:
        """The trace is kept by the faults; nothing is printed."""


def _eval_results(repository: Repository, commit: str) -> list[dict[str, Any]]:
    """The results in .eval_results as the Hub shows them; a file of no registered benchmark comes back as an error."""
    shown: list[dict[str, Any]] = []
    for path, blob in repository.tree(commit).items():
        if path.startswith(".eval_results/"):
            for row in yaml.safe_load(repository.content(blob)):
                known = row["dataset"]["id"] in BENCHMARKS
                shown.append({"filename": path, **({"data": row} if known else {"error": "not a benchmark dataset"})})
    return shown


def _validated(content: str) -> Answer:
    problems = [] if content.startswith("---\n") else [{"message": "empty or missing yaml metadata in repo card"}]
    return ok({"errors": [], "warnings": problems})


def _entry(blob: Blob) -> dict[str, Any]:
    entry = {"type": "file", "path": blob.path, "oid": blob.oid, "size": blob.lfs[1] if blob.lfs else blob.size}
    if blob.lfs:
        entry["lfs"] = {"oid": blob.lfs[0], "size": blob.lfs[1], "pointerSize": blob.size}
    return entry


def _operations(body: bytes) -> tuple[dict[str, Any], dict[str, bytes | tuple[str, int]], list[str]]:
    """(header, {path: bytes or (sha256, size)}, deleted paths) of a commit's lines."""
    header, files, delete = {}, {}, []
    for line in body.splitlines():
        row = json.loads(line)
        value = row["value"]
        if row["key"] == "header":
            header = value
        elif row["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif row["key"] == "lfsFile":
            files[value["path"]] = (value["oid"], value.get("size", 0))
        elif row["key"] == "deletedFile":
            delete.append(value["path"])
        else:
            raise ValueError(row["key"])
    return header, files, delete
