"""A conversation that finds a time, sends a request and explains a status, and knows no rule of the practice.

    python docs/examples/chatbot.py http://localhost:8000 [--script words.txt]

What must be asked, and again, is told by the errors of the draft; which words there are, by the description of the
API; what comes next, by the status. `--script` has one answer a line, in place of a person.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import requests

Json = dict[str, Any]
SHOWN = 5  # times at once
YES = {"yes": True, "y": True, "i agree": True}


class Api:
    """The public part. An answer is its status and its JSON."""

    def __init__(self, url: str) -> None:
        self.url, self.session = url, requests.Session()

    def get(self, path: str, **query: str) -> tuple[int, Json]:
        response = self.session.get(f"{self.url}/api/{path}", params=query, timeout=15)
        return response.status_code, response.json()

    def post(self, path: str, body: Json) -> tuple[int, Json]:
        """With a key, so that a repetition by whoever stands between us does nothing twice."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        response = self.session.post(f"{self.url}/api/{path}", json=body, headers=headers, timeout=15)
        return response.status_code, response.json()


class Left(Exception):
    """The person said `bye`."""


class Chat:
    """One conversation. `hear` says something and returns the answer; `say` only says it."""

    def __init__(self, api: Api, hear: Callable[[str], str], say: Callable[[str], None]) -> None:
        self.api, self.hear, self.say = api, hear, say
        self.info = self.api.get("info/")[1]
        self.shapes: Json = self.api.get("schema/")[1]["components"]["schemas"]

    def run(self) -> None:
        """Until `bye`, to whatever question."""
        self.greet()
        with suppress(Left):
            while True:
                word = self.ask("Shall I `book` a session, or tell the `status` of one? (or `bye`)").lower()
                if word == "book":
                    self.book()
                elif word == "status":
                    self.explain()

    def ask(self, question: str) -> str:
        """The answer. Raises Left."""
        answer = self.hear(question)
        if answer.lower() == "bye":
            raise Left
        return answer

    def greet(self) -> None:
        info = self.info
        self.say(f"{info['practice_name']}: sessions of {info['session_minutes']} minutes, from ₹{info['price_from']}.")
        lines = "; ".join(f"{line['name']} {line['number']}" for line in info["support"])
        self.say(f"If you cannot wait for an answer, please call: {lines}.")

    # -- a request -----------------------------------------------------------------------------------------------------

    def book(self) -> None:
        """A time, then whatever the practice still asks for, until it takes the request."""
        draft = self.question("mode", "How would you like to meet?")
        slot = self.find_slot(**draft)
        if slot is None:
            self.say("No more is free in the days to come.")
            return
        draft |= wish_for(slot)
        while True:
            status, answer = self.api.post("bookings/draft/", draft)
            if not answer.get("errors"):
                self.say(answer["message"] if status < 300 else answer["detail"])
                return
            for field, sentences in answer["errors"].items():
                draft |= self.question(field, " ".join(sentences))

    def find_slot(self, mode: str) -> Json | None:
        """One that the person picks."""
        slots = self.api.get("slots/", mode=mode)[1].get("slots", [])
        names = {one["id"]: one["name"] for one in self.api.get("psychologists/")[1]["psychologists"]}
        for first in range(0, len(slots), SHOWN):
            shown = slots[first : first + SHOWN]
            for number, slot in enumerate(shown, start=1):
                start = datetime.fromisoformat(slot["start"])
                self.say(f"{number}: {start:%A %d %B, %H:%M} with {names.get(slot['psychologist'], 'us')}")
            answer = self.ask(f"Which one ({self.info['time_zone']})? Or `more`.")
            if answer.isdecimal() and 0 < int(answer) <= len(shown):
                picked: Json = shown[int(answer) - 1]
                return picked
        return None

    def question(self, field: str, sentence: str) -> Json:
        """The person's answer to what the practice asks for, with the version of the notice if they consent to it."""
        shape = self.shape_of(field)
        if shape.get("type") == "boolean":
            notice = self.info["privacy_notice"]
            self.say("\n".join([notice["title"], *(f"- {one['heading']}: {one['text']}" for one in notice["items"])]))
            agrees = YES.get(self.ask(f"{sentence} (yes or no)").lower(), False)
            return {field: agrees, "notice_version": notice["version"]}
        words = {word.replace("_", " ").lower(): word for word in shape.get("enum", [])}
        answer = self.ask(f"{sentence} ({', '.join(words)})" if words else sentence)
        return {field: words.get(answer.lower(), answer)}

    def shape_of(self, field: str) -> Json:
        """As the description of the API has it."""
        shape: Json = self.shapes["DraftRequest"]["properties"].get(field, {})
        return self.shapes[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape

    # -- a status ------------------------------------------------------------------------------------------------------

    def explain(self) -> None:
        """What comes next, and what may be done now."""
        status, answer = self.api.get("bookings/check-status/", acknowledgement_id=self.ask("Its id, please."))
        if status != 200:
            self.say(answer["detail"])
            return
        self.say(answer["next_step"])
        for action in answer["allowed_actions"]:
            until = f", until {action['until']}" if action["until"] else ""
            self.say(f"Possible now: {action['action'].replace('_', ' ')}{until}")


def wish_for(slot: Json) -> Json:
    """What a draft says of a slot: its day and hours, in the practice's zone."""
    return {
        "psychologist": slot["psychologist"],
        "preferred_slot_start": slot["start"],
        "preferred_date": slot["start"][:10],
        "preferred_period": "CUSTOM",
        "preferred_time_start": slot["start"][11:16],
        "preferred_time_end": slot["end"][11:16],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--script", type=argparse.FileType("r"), default=sys.stdin)
    given = parser.parse_args()
    lines: Iterator[str] = iter(given.script)

    def hear(question: str) -> str:
        print(f"bot: {question}")
        answer = next(lines, "bye").strip()
        print(f"you: {answer}")
        return answer

    Chat(Api(given.url.rstrip("/")), hear, lambda text: print(f"bot: {text}")).run()


if __name__ == "__main__":
    main()
