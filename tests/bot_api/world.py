"""What Telegram knows, and how a test moves it. Every public method is safe to call from any thread."""

from __future__ import annotations

import base64
import copy
import itertools
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.bot_api.checks import ApiError, Json, bad, found_entities, keyboard, text_and_entities, units

TOKEN = "123456789:AAtest-token_that-nobody-else-may-see"
CALLBACK_LIFE_S = 30.0  # the documentation names no time; clients give up after about half a minute
FILE_LIMIT = 20 * 1024 * 1024

KINDS = ("429", "500", "502", "drop_before", "drop_after", "slow")
UPDATE_TYPES = [
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "my_chat_member",
]


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next `times` requests of `method` (of any where None), each with `share`'s probability.

    429 asks to come back after `seconds`, slow answers after as many, drop_before hangs up instead of handling the
    request, drop_after once it was handled.
    """

    kind: str
    method: str | None = None
    times: int = 1
    share: float = 1.0
    seconds: float = 0.0


class World:
    """Chats, people, messages and updates around one bot."""

    def __init__(
        self, token: str = TOKEN, *, privacy: bool = True, seed: int = 1, clock: Callable[[], float] = time.time
    ) -> None:
        self.token = token
        self.me: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "Quotes",
            "username": "newsquote_test_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": not privacy,
            "supports_inline_queries": True,
        }
        self.changed = threading.Condition(threading.RLock())
        self.calls: list[tuple[str, Json]] = []  # what the bot asked for and got, in order
        self.refusals: list[tuple[str, str]] = []  # the methods that were refused, and why
        self.answers: dict[str, Json] = {}  # callback and inline queries by id, as the bot answered them
        self.commands: dict[str, list[Json]] = {}  # what setMyCommands set, by scope and language
        self.webhook: Json = {"url": ""}
        self.faults: list[Fault] = []
        self.struck: Counter[str] = Counter()  # how many requests each kind of fault has hit
        self.sent: list[tuple[float, int, str]] = []  # when, where and what the bot wrote, in order
        self.shuffled = False
        self.missing: set[str] = set()  # methods that this server does not know
        self.holds = True  # getUpdates until there is something to tell
        self.polls = 0
        self._allowed = set(UPDATE_TYPES)
        self._chats: dict[int, Json] = {}
        self._users: dict[int, Json] = {self.me["id"]: self.me}
        self._messages: dict[int, dict[int, Json]] = {}
        self._threads: dict[int, set[int]] = {}
        self._shut: dict[int, ApiError] = {}  # chats the bot may not write to
        self._callbacks: dict[str, float] = {}
        self._inline: dict[str, float] = {}
        self._inline_messages: dict[str, Json] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self._queue: list[Json] = []
        self._again: list[Json] = []
        self._sent: dict[int, Json] = {}
        self._poller = 0
        self._update_ids = itertools.count(700_000_001)
        self._ids = itertools.count(1)
        self._random = random.Random(seed)
        self._clock = clock

    # What a test does.

    def user(self, user: int, language: str | None = "en", name: str = "Ada") -> Json:
        """A person, made on first mention."""
        with self.changed:
            return self._users.setdefault(
                user,
                {"id": user, "is_bot": False, "first_name": name, **({"language_code": language} if language else {})},
            )

    def group(self, chat: int, title: str = "Readers", *, threads: Iterable[int] = ()) -> Json:
        """A supergroup that the bot is in; with `threads`, a forum of these topics."""
        with self.changed:
            self._threads[chat] = set(threads)
            forum = {"is_forum": True} if self._threads[chat] else {}
            kind = "supergroup" if str(chat).startswith("-100") else "group"
            return self._chats.setdefault(chat, {"id": chat, "type": kind, "title": title, **forum})

    def say(
        self,
        text: str,
        user: int = 1,
        chat: int | None = None,
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        forward: Json | None = None,
        via_bot: bool = False,
    ) -> int:
        """A person writes; gives the message's id."""
        entities = found_entities(text)
        body = {"text": text, **({"entities": entities} if entities else {})}
        return self._arrives(body, user, chat, reply_to=reply_to, thread=thread, forward=forward, via_bot=via_bot)

    def document(
        self, name: str, content: str, user: int = 1, *, caption: str | None = None, size: int | None = None
    ) -> int:
        """A person sends a file, its content in base64; gives the message's id."""
        raw = base64.b64decode(content)
        file_id = f"file-{next(self._ids)}"
        self._files[file_id] = (f"documents/{file_id}", raw)
        about = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "file_size": size or len(raw)}
        return self._arrives({"document": about, **({"caption": caption} if caption else {})}, user, None)

    def edit(self, message: int, text: str, user: int = 1, chat: int | None = None) -> None:
        """A person edits what they wrote."""
        with self.changed:
            held = self._messages[user if chat is None else chat][message]
            entities = found_entities(text)
            held.update({"text": text, "edit_date": self._now()})
            held.pop("entities", None)
            held.update({"entities": entities} if entities else {})
            self._push("edited_message", held)

    def press(self, message: int, label: str, user: int = 1, chat: int | None = None) -> str:
        """A person taps the button that has `label` in its text; gives the callback query's id."""
        with self.changed:
            held = self._messages[user if chat is None else chat][message]
            buttons = [b for row in held.get("reply_markup", {}).get("inline_keyboard", []) for b in row]
            data = next(b["callback_data"] for b in buttons if label in b["text"])
            return self.callback(message, data, user, chat)

    def callback(self, message: int, data: str, user: int = 1, chat: int | None = None, *, age_s: float = 0.0) -> str:
        """A callback query with any data, as an old or a forged button sends it; gives its id."""
        with self.changed:
            chat_id = user if chat is None else chat
            held = self._messages.get(chat_id, {}).get(message)
            shown = held or {"message_id": message, "chat": self._chats[chat_id], "date": 0}  # an inaccessible message
            query = str(next(self._ids))
            self._callbacks[query] = self._clock() - age_s
            self._push(
                "callback_query",
                {"id": query, "from": self.user(user), "message": shown, "chat_instance": str(chat_id), "data": data},
            )
            return query

    def inline(self, text: str, user: int = 1, offset: str = "") -> str:
        """A person types after the bot's name in any chat; gives the inline query's id."""
        with self.changed:
            query = str(next(self._ids))
            self._inline[query] = self._clock()
            self._push("inline_query", {"id": query, "from": self.user(user), "query": text, "offset": offset})
            return query

    def migrate(self, chat: int, new: int) -> None:
        """A group becomes a supergroup."""
        with self.changed:
            self.group(new, self._chats[chat]["title"])
            self._arrives({"migrate_to_chat_id": new}, 1, chat)
            self._arrives({"migrate_from_chat_id": chat}, 1, new)
            self._shut[chat] = ApiError(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new
            )

    def shut(self, chat: int, why: str) -> None:
        """The bot may not write to a chat: `why` is blocked, kicked or restricted."""
        with self.changed:
            self._shut[chat] = {
                "blocked": ApiError(403, "Forbidden: bot was blocked by the user"),
                "kicked": ApiError(403, "Forbidden: bot was kicked from the supergroup chat"),
                "restricted": bad("not enough rights to send text messages to the chat"),
            }[why]
            if why == "restricted":
                return
            states = [{"user": self.me, "status": "member"}, {"user": self.me, "status": "kicked", "until_date": 0}]
            about = {"chat": self._chat(chat), "from": self.user(1), "date": self._now()}
            self._push("my_chat_member", {**about, "old_chat_member": states[0], "new_chat_member": states[1]})

    def raw(self, **update: Any) -> None:
        """An update as it is, whatever it holds."""
        with self.changed:
            numbered = {"update_id": next(self._update_ids), **update}
            self._queue.append(numbered)
            self._sent[numbered["update_id"]] = numbered
            self.changed.notify_all()

    def fault(
        self, kind: str, method: str | None = None, times: int = 1, share: float = 1.0, seconds: float = 0.0
    ) -> None:
        """Let requests go wrong; see `Fault`."""
        assert kind in KINDS, kind
        with self.changed:
            self.faults.append(Fault(kind, method, times, share, seconds))

    def redeliver(self, times: int = 1) -> None:
        """The newest updates come once more, as after a lost confirmation."""
        with self.changed:
            self._again += [self._sent[update] for update in sorted(self._sent)[-times:]]
            self.changed.notify_all()

    def shuffle(self, on: bool = True) -> None:
        """Updates come out of order."""
        self.shuffled = on

    def forget(self, message: int, chat: int) -> None:
        """A message is deleted."""
        with self.changed:
            del self._messages[chat][message]

    # What a test sees.

    def messages(self, chat: int = 1) -> list[Json]:
        """A chat's messages, oldest first."""
        with self.changed:
            return copy.deepcopy([m for _, m in sorted(self._messages.get(chat, {}).items())])

    def from_bot(self, chat: int = 1) -> list[Json]:
        """The bot's messages in a chat, oldest first."""
        return [m for m in self.messages(chat) if m["from"]["id"] == self.me["id"]]

    def heard(self, chat: int = 1, count: int = 1, timeout_s: float = 60.0) -> list[Json]:
        """The bot's messages in a chat, once there are as many."""
        self.wait(lambda: len(self.from_bot(chat)) >= count, timeout_s)
        return self.from_bot(chat)

    def answer_to(self, query: str) -> Json | None:
        """What the bot answered to a callback or inline query."""
        with self.changed:
            return copy.deepcopy(self.answers.get(query))

    def called(self, method: str) -> list[Json]:
        """The parameters of each accepted call of a method, in order."""
        with self.changed:
            return [dict(params) for name, params in self.calls if name == method]

    def unconfirmed(self) -> int:
        """How many updates the bot has not confirmed."""
        with self.changed:
            return len(self._queue)

    def wait(self, what: Callable[[], Any], timeout_s: float = 30.0) -> Any:
        """Wait until `what()` is true; gives its value.

        Raises:
            AssertionError: it did not become true in time; the last refusals are in the message.
        """
        with self.changed:
            value = self.changed.wait_for(what, timeout_s)
        assert value, f"did not happen within {timeout_s} s; refusals: {self.refusals[-5:]}"
        return value

    # What the bot asks for.

    def call(self, method: str, params: Json) -> Any:
        """Answer one request of the bot.

        Raises:
            ApiError: the real server would refuse it.
        """
        handler = getattr(self, f"_do_{method.lower()}", None)
        if handler is None or method in self.missing:
            raise ApiError(404, "Not Found: method not found")
        with self.changed:
            try:
                result = handler(params)
            except ApiError as exc:
                self.refusals.append((method, exc.description))
                raise
            finally:
                self.changed.notify_all()
            if method != "getUpdates":
                self.calls.append((method, params))
            return copy.deepcopy(result)

    def strike(self, method: str) -> Fault | None:
        """The fault that hits this request, if one does."""
        with self.changed:
            for fault in self.faults:
                if fault.method in (None, method) and self._random.random() < fault.share:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    self.struck[fault.kind] += 1
                    self.changed.notify_all()
                    return fault
        return None

    def file(self, path: str) -> bytes | None:
        """A file's content by the path getFile gave."""
        return next((raw for known, raw in self._files.values() if known == path), None)

    def due(self) -> Json | None:
        """The update to deliver by webhook now; the caller takes it off with `delivered`."""
        with self.changed:
            return self._queue[0] if self.webhook["url"] and self._queue else None

    def delivered(self, update: Json) -> None:
        """The webhook took an update."""
        with self.changed:
            self._queue.remove(update)
            self.changed.notify_all()

    def _do_getme(self, params: Json) -> Json:  # noqa: ARG002
        return self.me

    def _do_getupdates(self, params: Json) -> list[Json]:
        if self.webhook["url"]:
            raise ApiError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first",
            )
        offset, limit = int(params.get("offset", 0)), int(params.get("limit", 100))
        if not 1 <= limit <= 100:
            limit = 100
        self._allow(params)
        self._queue = self._queue[offset:] if offset < 0 else [u for u in self._queue if u["update_id"] >= offset]
        self._poller += 1
        self.polls += 1
        mine = self._poller
        self.changed.notify_all()  # whoever polled before us must leave
        self.changed.wait_for(
            lambda: self._queue or self._again or self._poller != mine,
            min(float(params.get("timeout", 0)), 50) if self.holds else 0,
        )
        if self._poller != mine:
            raise ApiError(
                409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
            )
        batch = [*self._queue[:limit], *self._again]
        self._again = []
        if self.shuffled:
            self._random.shuffle(batch)
        return batch

    def _do_deletewebhook(self, params: Json) -> bool:
        self.webhook = {"url": ""}
        if params.get("drop_pending_updates"):
            self._queue.clear()
        return True

    def _do_setwebhook(self, params: Json) -> bool:
        url = params.get("url", "")
        if url and not url.startswith("https://"):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", params.get("secret_token", "")):
            raise bad("secret token contains unallowed characters")
        self._allow(params)
        if params.get("drop_pending_updates"):
            self._queue.clear()
        self.webhook = {"url": url, "secret_token": params.get("secret_token", "")}
        return True

    def _do_getwebhookinfo(self, params: Json) -> Json:  # noqa: ARG002
        return {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": len(self._queue)}

    def _do_sendmessage(self, params: Json) -> Json:
        chat = self._writable(params)
        text, entities = text_and_entities(params.get("text"), params.get("entities"), params.get("parse_mode"))
        markup = keyboard(params.get("reply_markup"))
        thread = params.get("message_thread_id")
        if thread is not None and thread not in self._threads.get(chat["id"], ()):
            raise bad("message thread not found")
        reply = params.get("reply_parameters")
        replied = None
        if reply is not None:
            replied = self._messages.get(chat["id"], {}).get(int(reply["message_id"]))
            if replied is None and not reply.get("allow_sending_without_reply"):
                raise bad("message to be replied not found")
        message = {
            "text": text,
            **({"entities": entities} if entities else {}),
            **({"reply_markup": markup} if markup else {}),
            **({"message_thread_id": thread, "is_topic_message": True} if thread else {}),
            **({"reply_to_message": {k: v for k, v in replied.items() if k != "reply_to_message"}} if replied else {}),
            **({"link_preview_options": params["link_preview_options"]} if "link_preview_options" in params else {}),
        }
        self.sent.append((self._clock(), chat["id"], text))
        return self._store(chat, self.me, message)

    def _do_editmessagetext(self, params: Json) -> Json | bool:
        held = self._editable(params)
        text, entities = text_and_entities(params.get("text"), params.get("entities"), params.get("parse_mode"))
        markup = keyboard(params.get("reply_markup"))
        return self._change(held, {"text": text, "entities": entities or None, "reply_markup": markup})

    def _do_editmessagereplymarkup(self, params: Json) -> Json | bool:
        held = self._editable(params)
        return self._change(held, {"reply_markup": keyboard(params.get("reply_markup"))})

    def _do_deletemessage(self, params: Json) -> bool:
        chat = self._chat(params["chat_id"])
        if self._messages.get(chat["id"], {}).pop(int(params["message_id"]), None) is None:
            raise bad("message to delete not found")
        return True

    def _do_sendchataction(self, params: Json) -> bool:
        self._writable(params)
        if params.get("action") not in ("typing", "upload_document", "find_location", "choose_sticker"):
            raise bad("wrong parameter action in request")
        return True

    def _do_answercallbackquery(self, params: Json) -> bool:
        query = str(params.get("callback_query_id"))
        made = self._callbacks.pop(query, None)
        if made is None or self._clock() - made > CALLBACK_LIFE_S:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if units(params.get("text", "")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self.answers[query] = params
        return True

    def _do_answerinlinequery(self, params: Json) -> bool:
        query = str(params.get("inline_query_id"))
        made = self._inline.get(query)
        if made is None or self._clock() - made > CALLBACK_LIFE_S:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        results = params.get("results") or []
        if len(results) > 50:
            raise bad("RESULTS_TOO_MUCH")
        if len({result.get("id") for result in results}) < len(results):
            raise bad("RESULT_ID_DUPLICATE")
        for result in results:
            if result.get("type") != "article" or not 1 <= len(str(result.get("id", "")).encode()) <= 64:
                raise bad("RESULT_ID_INVALID")
            if not result.get("title"):
                raise bad('can\'t parse inline query result: Field "title" must be non-empty')
            content = result.get("input_message_content") or {}
            content["message_text"], content["entities"] = text_and_entities(
                content.get("message_text"), content.get("entities"), content.get("parse_mode")
            )
            keyboard(result.get("reply_markup"))
        if len(params.get("next_offset", "").encode()) > 64:
            raise bad("NEXT_OFFSET_INVALID")
        button = params.get("button")
        if button and (
            not button.get("text") or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", button.get("start_parameter", ""))
        ):
            raise bad("SWITCH_PM_PARAM_INVALID")
        del self._inline[query]
        self.answers[query] = params
        return True

    def _do_setmycommands(self, params: Json) -> bool:
        commands = params.get("commands") or []
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", "")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= units(command.get("description", "")) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands[self._commands_key(params)] = commands
        return True

    def _do_deletemycommands(self, params: Json) -> bool:
        self.commands.pop(self._commands_key(params), None)
        return True

    def _do_getmycommands(self, params: Json) -> list[Json]:
        return self.commands.get(self._commands_key(params), [])

    def _do_getfile(self, params: Json) -> Json:
        if params.get("file_id") not in self._files:
            raise bad("invalid file_id")
        path, raw = self._files[params["file_id"]]
        if len(raw) > FILE_LIMIT:
            raise bad("file is too big")
        return {
            "file_id": params["file_id"],
            "file_unique_id": params["file_id"],
            "file_size": len(raw),
            "file_path": path,
        }

    def _do_getchat(self, params: Json) -> Json:
        return {
            **self._chat(params.get("chat_id")),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }

    def _do_leavechat(self, params: Json) -> bool:
        self.shut(self._chat(params.get("chat_id"))["id"], "kicked")
        return True

    # How it holds together.

    def _now(self) -> int:
        return int(self._clock())

    def _allow(self, params: Json) -> None:
        allowed = params.get("allowed_updates")
        if allowed is not None:
            self._allowed = set(allowed) or set(UPDATE_TYPES)

    def _push(self, kind: str, what: Json) -> None:
        if kind not in self._allowed:
            return
        update: Json = {"update_id": next(self._update_ids), kind: copy.deepcopy(what)}
        self._queue.append(update)
        self._sent[update["update_id"]] = update
        self.changed.notify_all()

    def _arrives(
        self,
        body: Json,
        user: int,
        chat: int | None,
        *,
        reply_to: int | None = None,
        thread: int | None = None,
        forward: Json | None = None,
        via_bot: bool = False,
    ) -> int:
        with self.changed:
            if chat is None:
                self._chats.setdefault(
                    user, {"id": user, "type": "private", "first_name": self.user(user)["first_name"]}
                )
            place = self._chats[user if chat is None else chat]
            extra: Json = {}
            if reply_to is not None:
                replied = self._messages[place["id"]][reply_to]
                extra["reply_to_message"] = {k: v for k, v in replied.items() if k != "reply_to_message"}
            if thread is not None:
                extra |= {"message_thread_id": thread, "is_topic_message": True}
            if forward is not None:
                extra["forward_origin"] = forward
            if via_bot:
                extra["via_bot"] = self.me
            message = self._store(place, self.user(user), {**body, **extra})
            if self._meant_for_bot(message):
                self._push("message", message)
            return int(message["message_id"])

    def _meant_for_bot(self, message: Json) -> bool:
        """With privacy mode on, a bot sees commands, replies to it, its name and service messages of a group."""
        if message["chat"]["type"] == "private" or self.me["can_read_all_group_messages"] or "text" not in message:
            return True
        name = "@" + self.me["username"]
        return (
            message["text"].startswith("/")
            or name.lower() in message["text"].lower()
            or message.get("reply_to_message", {}).get("from", {}).get("id") == self.me["id"]
            or "via_bot" in message
        )

    def _store(self, chat: Json, author: Json, body: Json) -> Json:
        held = self._messages.setdefault(chat["id"], {})
        number = max(held, default=0) + 1
        held[number] = {"message_id": number, "from": author, "chat": chat, "date": self._now(), **body}
        self.changed.notify_all()
        return held[number]

    def _chat(self, chat: Any) -> Json:
        try:
            return self._chats[int(chat)]
        except (KeyError, TypeError, ValueError):
            raise bad("chat not found") from None

    def _writable(self, params: Json) -> Json:
        chat = self._chat(params.get("chat_id"))
        if chat["id"] in self._shut:
            raise self._shut[chat["id"]]
        return chat

    def _editable(self, params: Json) -> Json:
        if "inline_message_id" in params:
            raise bad("MESSAGE_ID_INVALID")
        chat = self._writable(params)
        held = self._messages.get(chat["id"], {}).get(int(params.get("message_id", 0)))
        if held is None:
            raise bad("message to edit not found")
        if held["from"]["id"] != self.me["id"]:
            raise bad("message can't be edited")
        return held

    def _change(self, held: Json, fields: Json) -> Json:
        if all(held.get(name) == value for name, value in fields.items()):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        for name, value in fields.items():
            if value is None:
                held.pop(name, None)
            else:
                held[name] = value
        held["edit_date"] = self._now()
        return held

    def _commands_key(self, params: Json) -> str:
        scope = params.get("scope") or {"type": "default"}
        known = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat")
        if scope.get("type") not in known:
            raise bad("can't parse BotCommandScope: unsupported type")
        if scope["type"] == "chat":
            self._chat(scope.get("chat_id"))
        language = params.get("language_code", "")
        if not re.fullmatch(r"([a-z]{2})?", language):
            raise bad("invalid language_code")
        return ":".join(str(part) for part in (scope["type"], scope.get("chat_id", ""), language) if part)
