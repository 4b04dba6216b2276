"""Replies of a model behind an OpenAI-compatible server: the same as in this process, or one clear error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import tiny_model
from completions import Completions, Handler, serving

from modelqa.chat import Chat, open_chat
from modelqa.checkpoint import open_checkpoint
from modelqa.errors import GenerationError, UsageError
from modelqa.generate import LocalEngine, RefusedError, ServedEngine, Server, ServerWarning
from modelqa.generate.completion import read_completion
from modelqa.generate.served import AT_ONCE, shown_name
from modelqa.generate.server import ATTEMPTS, TOKEN
from modelqa.reply import Prompt, Reply

QUESTIONS = ("Say apple.", "Say bread twice", "What is the sky?", "river", "Put table here", "Now show me night again")
NEW = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write_model(tmp_path_factory.mktemp("served") / "one")


@pytest.fixture(scope="module")
def chat(folder: Path) -> Chat:
    return open_chat(folder)


@pytest.fixture(scope="module")
def prompts(chat: Chat) -> list[Prompt]:
    return [chat.render([{"role": "user", "content": question}]) for question in QUESTIONS]


@pytest.fixture(scope="module")
def local(folder: Path, chat: Chat, prompts: list[Prompt]) -> list[Reply]:
    """What the same weights say in this process."""
    engine = LocalEngine.open(open_checkpoint(folder), stop_ids=chat.stop_ids, pad_id=chat.pad_id or 0)
    made = dict(engine.replies(prompts, max_new_tokens=NEW, decode=chat.decode, batch_size=1))
    return [made[index] for index in range(len(prompts))]


Served = Callable[..., AbstractContextManager[tuple[Completions, ServedEngine]]]


@pytest.fixture
def opened(folder: Path, chat: Chat, prompts: list[Prompt]) -> Served:
    """A context with the server's side and the engine that asks it."""

    @contextmanager
    def go(*, seconds: float = 30.0, model: str = "one", **how: object) -> Iterator[tuple[Completions, ServedEngine]]:
        served = Completions({"one": folder}, **how)  # type: ignore[arg-type]
        with serving(served) as url, Server.open(url, seconds=seconds) as server:
            engine = ServedEngine.open(server, model, chat, prompts[0])
            served.bodies.clear()  # what is left are the questions
            yield served, engine

    return go


def ask(engine: ServedEngine, prompts: list[Prompt], **options: object) -> dict[int, Reply]:
    return dict(engine.replies(prompts, max_new_tokens=NEW, decode=engine.chat.decode, **options))  # type: ignore[arg-type]


# -- the same replies --------------------------------------------------------------------------------------------------


def test_a_server_that_takes_ids_is_asked_the_rendered_ids(
    opened: Served, prompts: list[Prompt], local: list[Reply]
) -> None:
    with opened() as (served, engine):
        made = ask(engine, prompts)
        assert [(made[i].ids, made[i].raw, made[i].text, made[i].stopped) for i in range(len(prompts))] == [
            (reply.ids, reply.raw, reply.text, reply.stopped) for reply in local
        ]
        assert [made[i].margin for i in range(len(prompts))] == pytest.approx(
            [reply.margin for reply in local], abs=1e-4
        )
        assert sorted(body["prompt"] for body in served.bodies) == sorted(list(prompt.ids) for prompt in prompts)
        assert engine.description == {"model": "one", "prompts": "ids", "replies": "ids", "version": "0.0.test"}


def whole(chat: Chat, replies: list[Reply]) -> list[int]:
    """The replies that hold no special token but the stop token at the end, spelt as the tokenizer spells them."""
    special = set(chat.special_tokens.values())
    found = []
    for index, reply in enumerate(replies):
        body = reply.ids[:-1] if reply.stopped else reply.ids
        if not set(body) & special and chat.tokens.encode(chat.decode(body)).ids == body:
            found.append(index)
    return found


def test_a_server_that_takes_text_is_asked_the_rendered_text_and_hides_no_token_unseen(
    opened: Served, chat: Chat, prompts: list[Prompt], local: list[Reply]
) -> None:
    known = whole(chat, local)
    assert 0 < len(known) < len(prompts), "the random model should write some replies with special tokens, some without"
    with (
        opened(manner="text") as (served, engine),
        pytest.warns(ServerWarning, match="tokens that the server does not"),
    ):
        made = ask(engine, prompts)
    assert sorted(made) == known
    assert all((made[i].ids, made[i].raw, made[i].text) == (local[i].ids, local[i].raw, local[i].text) for i in known)
    assert {body["prompt"] for body in served.bodies} == {prompt.text for prompt in prompts}
    assert not engine.dialect.ids
    assert not engine.dialect.tells_ids
    assert all(reply.margin is None for reply in made.values())


def test_only_the_wanted_prompts_are_asked(opened: Served, prompts: list[Prompt]) -> None:
    with opened() as (served, engine):
        assert sorted(ask(engine, prompts, wanted=[1, 4])) == [1, 4]
        assert len(served.bodies) == 2


def test_a_prompt_that_does_not_fit_is_not_asked(opened: Served, prompts: list[Prompt]) -> None:
    with opened() as (_, engine):
        short = ServedEngine(
            engine.server, engine.model, engine.chat, engine.dialect, positions=NEW + len(prompts[3].ids)
        )
        assert sorted(ask(short, prompts)) == [i for i, p in enumerate(prompts) if len(p.ids) <= len(prompts[3].ids)]
        assert "positions" in next(iter(short.refused(prompts, max_new_tokens=NEW).values()))


def test_a_second_beginning_of_sequence_token_is_the_harness_s_fault(opened: Served) -> None:
    with (
        pytest.raises(GenerationError, match=r"counts (\d+) tokens in a prompt of \d+") as error,
        opened(manner="text", extra=(0,)),
    ):
        pass
    assert "the harness is at fault, not the model" in str(error.value)


def test_not_more_requests_than_agreed_are_under_way(opened: Served, prompts: list[Prompt]) -> None:
    under_way, most = [0], [0]

    def count(handler: Handler, number: int) -> bool:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        time.sleep(0.02)
        under_way[0] -= 1
        return False

    with opened(broken=count) as (_, engine):
        ask(engine, prompts * 4)
    assert 1 < most[0] <= AT_ONCE


# -- faults ------------------------------------------------------------------------------------------------------------


def dropped(handler: Handler) -> None:
    handler.close_connection = True


def cut(handler: Handler) -> None:
    handler.answer(200, {"choices": [{"text": "appl", "finish_reason": "stop"}]}, cut=9)


def busy(handler: Handler) -> None:
    handler.answer(503, {"error": "loading"})


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelqa.generate.server.WAIT_SECONDS", 0.0)


@pytest.mark.parametrize("fault", [dropped, cut, busy])
def test_a_lost_request_is_sent_again_and_said(
    opened: Served, prompts: list[Prompt], local: list[Reply], fault: Callable[[Handler], None]
) -> None:
    lost = []

    def once(handler: Handler, number: int) -> bool:
        if len(lost) < 2 and number > 1:
            lost.append(number)
            fault(handler)
            return True
        return False

    with opened(broken=once) as (_, engine), pytest.warns(ServerWarning, match="lost and sent again"):
        made = ask(engine, prompts)
    assert lost
    assert [made[i].ids for i in range(len(prompts))] == [reply.ids for reply in local]


@pytest.mark.parametrize("fault", [dropped, cut, busy])
def test_a_server_that_never_answers_whole_is_one_error(
    opened: Served, prompts: list[Prompt], fault: Callable[[Handler], None]
) -> None:
    def always(handler: Handler, number: int) -> bool:
        if number > 1:
            fault(handler)
        return number > 1

    with opened(broken=lambda handler, number: False) as (served, engine), pytest.warns(ServerWarning, match="again"):
        served.broken = always
        ask(engine, prompts[:1])  # the first is answered: the model works
        with pytest.raises(GenerationError, match="cannot be reached, or does not finish"):
            ask(engine, prompts[1:2])
        assert len(served.bodies) == 1 + ATTEMPTS


def test_a_server_that_fails_inside_is_believed_at_once(opened: Served, prompts: list[Prompt]) -> None:
    with opened() as (served, engine):
        served.broken = lambda handler, number: handler.answer(500, {"error": {"message": "CUDA\x1b[31m"}}) or True
        with pytest.raises(GenerationError, match="the server refuses a prompt") as error:
            ask(engine, prompts[:1])
        assert "status 500: CUDA" in str(error.value)
        assert "\x1b" not in str(error.value)
        assert len(served.bodies) == 1


def test_a_server_that_is_too_slow_is_not_asked_twice(opened: Served, prompts: list[Prompt]) -> None:
    with opened() as (served, engine):
        served.broken = lambda handler, number: bool(time.sleep(1.0)) or False
        engine.server.client.timeout = 0.1
        with pytest.raises(GenerationError, match="does not answer in time"):
            ask(engine, prompts[:1])
        assert len(served.bodies) == 1


@pytest.mark.parametrize("answer", [{}, [], {"choices": []}, {"choices": [{"text": 3, "finish_reason": "stop"}]},
                                    {"choices": [{"text": "a", "finish_reason": "tool_calls"}]}])  # fmt: skip
def test_an_answer_without_a_completion_is_one_error(opened: Served, prompts: list[Prompt], answer: object) -> None:
    with opened() as (served, engine):
        served.broken = lambda handler, number: handler.answer(200, answer) or True
        with pytest.raises(GenerationError, match="holds no completion"):
            ask(engine, prompts[:1])


def test_an_endless_answer_is_cut_off(opened: Served, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as (_, engine):
        monkeypatch.setattr("modelqa.generate.server.MAX_BYTES", 20)
        with pytest.raises(GenerationError, match="does not end"):
            ask(engine, prompts[:1])


def test_a_server_that_is_not_there_is_one_error() -> None:
    with (
        pytest.warns(ServerWarning, match="ConnectError"),
        Server.open("http://127.0.0.1:9/v1") as server,
        pytest.raises(GenerationError, match="cannot be reached"),
    ):
        _ = server.names
    assert server.again == {}, "what was sent again is told when the server is let go"


@pytest.mark.filterwarnings("ignore::modelqa.generate.ServerWarning")
def test_a_model_that_the_server_does_not_know_is_refused_in_its_words(opened: Served) -> None:
    with pytest.raises(RefusedError, match="The model `two` does not exist"), opened(model="two"):
        pass


def test_a_token_goes_only_through_the_environment(
    opened: Served, prompts: list[Prompt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "wrong-secret")
    with pytest.raises(GenerationError, match="refuses the token") as error, opened(token="right-secret"):
        pass
    assert "secret" not in str(error.value)
    monkeypatch.delenv(TOKEN)
    with pytest.raises(GenerationError, match=f"(?s)asks for a token.*{TOKEN}"), opened(token="right-secret"):
        pass
    monkeypatch.setenv(TOKEN, "right-secret")
    with opened(token="right-secret") as (_, engine):
        assert len(ask(engine, prompts)) == len(prompts)
        assert "secret" not in repr(engine)


@pytest.mark.parametrize(
    ("url", "fact"),
    [
        ("127.0.0.1:8000", "no address of a server"),
        ("file:///etc/passwd", "no address of a server"),
        ("http://x:y/v1", "http://x:y/v1 is no address of a server"),
        ("http://x:99999/v1", "no address of a server"),
        ("http://[x/v1", "no address of a server"),
        ("http://user:hunter2@host/v1", "holds a password"),
        ("user:hunter2@host/v1", "holds a password"),
        ("http://host/v1?key=hunter2", "holds a password"),
    ],
)
def test_an_address_that_is_none_or_tells_a_secret_is_refused(url: str, fact: str) -> None:
    with pytest.raises(UsageError, match=fact) as error:
        Server.open(url)
    assert "hunter2" not in str(error.value)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "margin"),
    [
        ([{"a": -0.1, "b": -2.1}, {"c": -0.5, "d": -1.0}], 0.5),
        ([{"a": -0.1, "b": -2.1}, {"same text": -0.5}], None),
        ([{"a": float("nan"), "b": -2.1}], None),
        ([], None),
        ("no list", None),
    ],
)
def test_the_margin_is_the_smallest_gap_of_known_probabilities(steps: object, margin: float | None) -> None:
    choice = {"text": "x", "finish_reason": "stop", "logprobs": {"top_logprobs": steps}}
    assert read_completion({"choices": [choice]}).margin == margin


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("org/name", "org/name"),
        ("phase3a2", "phase3a2"),
        ("/home/somebody/models/phase3a2", "phase3a2"),
        ("./models/phase3a2/", "phase3a2"),
        ("C:\\models\\phase3a2", "phase3a2"),
        ("fixtures/checkpoints/phase3a2", "phase3a2"),
    ],
)
def test_a_record_says_a_model_s_name_and_no_path(name: str, shown: str) -> None:
    assert shown_name(name) == shown
