from __future__ import annotations

import base64
import http.client
import json
import threading
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bot_api import TOKEN, Server, World

Json = dict[str, Any]
Reply = tuple[int, Json]


class Caller:
    """A client as plain as can be."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.world = server.world

    def raw(self, path: str, body: bytes | None = None, kind: str = "application/json") -> tuple[int, bytes]:
        address = urllib.parse.urlsplit(self.server.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=10)
        try:
            connection.request("POST" if body is not None else "GET", path, body, {"Content-Type": kind})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def __call__(self, method: str, **params: Any) -> Reply:
        status, body = self.raw(f"/bot{TOKEN}/{method}", json.dumps(params).encode())
        return status, json.loads(body)

    def refused(self, method: str, **params: Any) -> tuple[int, str]:
        status, body = self(method, **params)
        assert not body["ok"]
        return status, body["description"]

    def updates(self, **params: Any) -> list[Json]:
        return list(self("getUpdates", **params)[1]["result"])


@pytest.fixture
def api() -> Iterator[Caller]:
    with Server() as server:
        server.world.say("Hello")
        yield Caller(server)


def test_the_bot_learns_who_it_is(api: Caller) -> None:
    status, body = api("getMe")
    assert (status, body["result"]["username"]) == (200, "newsquote_test_bot")


def test_a_wrong_token_is_unauthorized_and_an_unknown_method_not_found(api: Caller) -> None:
    assert api.raw("/bot1:wrong/getMe")[0] == 401
    assert api("getMoon")[0] == 404
    assert api.raw("/elsewhere")[0] == 404


@pytest.mark.parametrize("path", ["sendMessage?chat_id=1&text=Hi%20there", "SENDMESSAGE?chat_id=1&text=Hi%20there"])
def test_parameters_may_come_in_the_url_and_method_names_in_any_case(api: Caller, path: str) -> None:
    assert api.raw(f"/bot{TOKEN}/{path}")[0] == 200
    assert api.world.from_bot()[0]["text"] == "Hi there"


def test_parameters_may_come_as_a_form_with_json_inside(api: Caller) -> None:
    form = {"chat_id": "1", "text": "bold", "entities": '[{"type":"bold","offset":0,"length":4}]'}
    api.raw(f"/bot{TOKEN}/sendMessage", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded")
    assert api.world.from_bot()[0]["entities"] == [{"type": "bold", "offset": 0, "length": 4}]


def test_parameters_may_come_in_parts(api: Caller) -> None:
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"chat_id": "1", "text": "Ça va"}.items()
    )
    api.raw(f"/bot{TOKEN}/sendMessage", (parts + "--x--\r\n").encode(), "multipart/form-data; boundary=x")
    assert api.world.from_bot()[0]["text"] == "Ça va"


def test_an_offset_confirms_what_came_before_it(api: Caller) -> None:
    first = api.updates()[0]["update_id"]
    api.world.say("More")
    assert [u["update_id"] for u in api.updates()] == [first, first + 1]
    assert [u["message"]["text"] for u in api.updates(offset=first + 1)] == ["More"]
    assert [u["update_id"] for u in api.updates()] == [first + 1]


def test_a_long_poll_ends_when_something_comes(api: Caller) -> None:
    offset = api.updates()[0]["update_id"] + 1
    found: list[list[Json]] = []
    poller = threading.Thread(target=lambda: found.append(api.updates(offset=offset, timeout=20)))
    poller.start()
    api.world.wait(lambda: not api.world.unconfirmed())
    api.world.say("At last")
    poller.join(5)
    assert [u["message"]["text"] for u in found[0]] == ["At last"]


def test_the_newer_poller_ends_the_older_one(api: Caller) -> None:
    offset = api.updates()[0]["update_id"] + 1
    found: list[Reply] = []
    poller = threading.Thread(target=lambda: found.append(api("getUpdates", offset=offset, timeout=20)))
    poller.start()
    api.world.wait(lambda: not api.world.unconfirmed())
    assert api.updates(offset=offset) == []
    poller.join(5)
    assert found[0][0] == 409


def test_updates_of_other_kinds_than_allowed_do_not_come(api: Caller) -> None:
    api.updates(allowed_updates=["inline_query"])
    api.world.say("Unheard")
    api.world.inline("quote")
    assert [sorted(u)[0] for u in api.updates()] == ["message", "inline_query"]


AT = "entity beginning at UTF-16 offset"
ENTITY = {"offset": 0, "length": 2}


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"chat_id": 99, "text": "Hi"}, "chat not found"),
        ({"text": ""}, "message text is empty"),
        ({"text": " \n\u200b"}, "message text is empty"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "Hi", "parse_mode": "Word"}, "unsupported parse_mode"),
        (
            {"text": "Hi", "entities": [{"type": "bold", "offset": 0, "length": 3}]},
            f"{AT} 0 ends after the end of the text at UTF-16 offset 2",
        ),
        (
            {"text": "Hi", "entities": [{"type": "bold", "offset": 0, "length": 0}]},
            "can't parse MessageEntity: offset and length must be in the text",
        ),
        (
            {"text": "😀!", "entities": [{"type": "bold", "offset": 1, "length": 1}]},
            f"{AT} 1 begins in a middle of a UTF-16 symbol",
        ),
        (
            {"text": "😀!", "entities": [{"type": "bold", "offset": 0, "length": 1}]},
            f"{AT} 0 ends in a middle of a UTF-16 symbol",
        ),
        ({"text": "Hi", "entities": [{"type": "loud", **ENTITY}]}, "can't parse MessageEntity: Unsupported type loud"),
        ({"text": "Hi", "entities": [{"type": "text_link", **ENTITY}]}, f"{AT} 0 links to no address"),
        (
            {"text": "Hi!", "entities": [{"type": "bold", **ENTITY}, {"type": "italic", "offset": 1, "length": 2}]},
            "entities cross: bold 0:2 and italic 1:3",
        ),
        (
            {"text": "Hi", "entities": [{"type": "blockquote", **ENTITY}, {"type": "expandable_blockquote", **ENTITY}]},
            "blockquote and expandable_blockquote entities can't be nested",
        ),
        ({"text": "Hi", "reply_parameters": {"message_id": 77}}, "message to be replied not found"),
        ({"text": "Hi", "message_thread_id": 5}, "message thread not found"),
        (
            {"text": "Hi", "reply_markup": {"inline_keyboard": [[{"text": "Go", "callback_data": "ä" * 33}]]}},
            "BUTTON_DATA_INVALID",
        ),
        (
            {"text": "Hi", "reply_markup": {"inline_keyboard": [[{"text": "Go"}]]}},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_sent_is_refused(api: Caller, params: Json, why: str) -> None:
    assert api.refused("sendMessage", **{"chat_id": 1, **params}) == (400, f"Bad Request: {why}")


def test_white_space_at_the_ends_is_cut_and_entities_move_along(api: Caller) -> None:
    api("sendMessage", chat_id=1, text="\n😀 bold \n", entities=[{"type": "bold", "offset": 4, "length": 6}])
    sent = api.world.from_bot()[0]
    assert (sent["text"], sent["entities"]) == ("😀 bold", [{"type": "bold", "offset": 3, "length": 4}])


def test_a_message_of_just_the_limit_with_nested_entities_is_sent(api: Caller) -> None:
    entities = [{"type": "blockquote", "offset": 0, "length": 4096}, {"type": "bold", "offset": 2, "length": 4}]
    assert api("sendMessage", chat_id=1, text="😀" * 2048, entities=entities)[0] == 200


def test_an_edit_that_changes_nothing_is_refused(api: Caller) -> None:
    number = api("sendMessage", chat_id=1, text="One")[1]["result"]["message_id"]
    assert api.refused("editMessageText", chat_id=1, message_id=number, text="One")[1].startswith(
        "Bad Request: message is not modified"
    )
    assert api("editMessageText", chat_id=1, message_id=number, text="Two")[1]["result"]["text"] == "Two"
    assert api.refused("editMessageText", chat_id=1, message_id=1, text="Mine")[1] == (
        "Bad Request: message can't be edited"
    )
    assert api.refused("editMessageText", chat_id=1, message_id=99, text="x")[1] == (
        "Bad Request: message to edit not found"
    )


def test_a_callback_is_answered_once_and_in_time(api: Caller) -> None:
    markup = {"inline_keyboard": [[{"text": "More ▸", "callback_data": "m:1"}]]}
    number = api("sendMessage", chat_id=1, text="One", reply_markup=markup)[1]["result"]["message_id"]
    query = api.world.press(number, "More")
    assert api.updates()[-1]["callback_query"]["data"] == "m:1"
    assert api("answerCallbackQuery", callback_query_id=query)[0] == 200
    late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert api.refused("answerCallbackQuery", callback_query_id=query) == (400, late)
    old = api.world.callback(number, "m:1", age_s=60)
    assert api.refused("answerCallbackQuery", callback_query_id=old) == (400, late)
    again = api.world.press(number, "More")
    assert api.refused("answerCallbackQuery", callback_query_id=again, text="x" * 201)[0] == 400


def test_inline_results_are_checked(api: Caller) -> None:
    query = api.world.inline("rain")
    card = {"type": "article", "id": "1", "title": "Rain", "input_message_content": {"message_text": "It rains."}}
    assert api.refused("answerInlineQuery", inline_query_id=query, results=[card, card])[1].endswith("ID_DUPLICATE")
    assert api.refused("answerInlineQuery", inline_query_id=query, results=[{**card, "id": ""}])[1].endswith("INVALID")
    assert api("answerInlineQuery", inline_query_id=query, results=[card])[0] == 200
    answer = api.world.answer_to(query)
    assert answer is not None
    assert [result["title"] for result in answer["results"]] == ["Rain"]
    assert api.refused("answerInlineQuery", inline_query_id=query, results=[card])[0] == 400


def test_chats_that_are_shut_say_why(api: Caller) -> None:
    api.world.group(-5)
    api.world.migrate(-5, -1005)
    status, body = api("sendMessage", chat_id=-5, text="Hi")
    assert (status, body["parameters"]) == (400, {"migrate_to_chat_id": -1005})
    api.world.shut(1, "blocked")
    assert api.refused("sendMessage", chat_id=1, text="Hi") == (403, "Forbidden: bot was blocked by the user")
    assert [sorted(set(u) - {"update_id"}) for u in api.updates()][-1] == ["my_chat_member"]


def test_privacy_mode_keeps_group_talk_from_the_bot(api: Caller) -> None:
    api.world.group(-5)
    for text in ("Just talk", "/ask Who?", "Hey @newsquote_test_bot, who?"):
        api.world.say(text, chat=-5)
    texts = [u["message"]["text"] for u in api.updates()]
    assert texts == ["Hello", "/ask Who?", "Hey @newsquote_test_bot, who?"]
    command = api.updates()[1]["message"]["entities"]
    assert command == [{"type": "bot_command", "offset": 0, "length": 4}]


def test_a_file_can_be_fetched_by_its_path(api: Caller) -> None:
    api.world.document("a.txt", base64.b64encode(b"words").decode())
    file_id = api.updates()[-1]["message"]["document"]["file_id"]
    path = api("getFile", file_id=file_id)[1]["result"]["file_path"]
    assert api.raw(f"/file/bot{TOKEN}/{path}") == (200, b"words")
    assert api.raw(f"/file/bot1:wrong/{path}")[0] == 404


def test_faults_hit_and_pass(api: Caller) -> None:
    api.world.fault("429", "sendMessage", seconds=3)
    status, body = api("sendMessage", chat_id=1, text="Hi")
    assert (status, body["parameters"]) == (429, {"retry_after": 3})
    api.world.fault("502", times=2)
    assert [api.raw(f"/bot{TOKEN}/getMe")[0] for _ in range(3)] == [502, 502, 200]
    for kind, handled in (("drop_before", 0), ("drop_after", 1)):
        api.world.fault(kind, "sendMessage")
        with pytest.raises((http.client.HTTPException, OSError)):
            api("sendMessage", chat_id=1, text=kind)
        assert len(api.world.from_bot()) == handled


def test_updates_can_come_twice(api: Caller) -> None:
    offset = api.updates()[0]["update_id"] + 1
    api.updates(offset=offset)
    api.world.redeliver()
    assert [u["update_id"] for u in api.updates(offset=offset)] == [offset - 1]


def test_commands_are_kept_by_scope_and_language(api: Caller) -> None:
    command = {"command": "help", "description": "What I can do"}
    api("setMyCommands", commands=[command], scope={"type": "chat", "chat_id": 1}, language_code="ar")
    assert api.world.commands == {"chat:1:ar": [command]}
    assert api.refused("setMyCommands", commands=[{"command": "Help!", "description": "x"}])[0] == 400


def test_a_webhook_takes_updates_with_its_secret() -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    taken: list[tuple[str, str, int]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            secret = self.headers["X-Telegram-Bot-Api-Secret-Token"]
            taken.append((self.path, secret, body["update_id"]))
            self.send_response(500 if len(taken) == 1 else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as hook:
        thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        with Server(World(), proxy=f"http://127.0.0.1:{hook.server_address[1]}") as server:
            api = Caller(server)
            assert api.refused("setWebhook", url="http://example.org/hook")[0] == 400
            api("setWebhook", url="https://example.org/hook", secret_token="s3cret")
            assert api("getUpdates")[0] == 409
            server.world.say("Hello")
            server.world.wait(lambda: not server.world.unconfirmed())
        hook.shutdown()
        thread.join()
    assert taken == [("/hook", "s3cret", 700_000_001)] * 2


def test_the_world_can_be_driven_from_another_process(api: Caller) -> None:
    order = {"do": "say", "with": {"text": "From afar", "user": 5}}
    status, body = api.raw("/control", json.dumps(order).encode())
    assert (status, json.loads(body)) == (200, {"result": 1})
    assert api.raw("/control", b'{"do": "fly"}')[0] == 500
