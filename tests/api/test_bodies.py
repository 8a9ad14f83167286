"""Whatever a body holds, the answer is an error in JSON: malformed, strange, too long, of another kind."""

from __future__ import annotations

import io

import pytest
from django.conf import settings as configured

from tests.support import api

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

KEYS = ("email", "token", "acknowledgement_id", "payment_reference", "gender", "age")

MALFORMED = {
    "not JSON": b"hello",
    "half of it": b'{"email": "asha@example',
    "two of it": b"{}{}",
    "a list": b"[]",
    "a list of objects": b'[{"email": "asha@example.org"}]',
    "a string": b'"asha@example.org"',
    "a number": b"7",
    "null": b"null",
    "true": b"true",
    "NaN": b'{"email": NaN}',
    "infinity": b"-Infinity",
    "a NUL byte": b'{"email": "\x00"}',
    "only a NUL byte": b"\x00",
    "bytes that are no UTF-8": b'{"email": "\xff\xfe"}',
    "UTF-16": '{"email": "asha@example.org"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a surrogate in bytes": b'{"email": "\xed\xa0\x80"}',
    "lists 5,000 deep": b"[" * 5000 + b"]" * 5000,
    "objects 5,000 deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a value 30,000 lists deep": b'{"email":' + b"[" * 30000 + b"]" * 30000 + b"}",
    "an integer of 5,000 digits": b'{"age": ' + b"9" * 5000 + b"}",
    "a form": b"email=asha@example.org",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_no_json_object_is_400(body: bytes) -> None:
    for address in api.POSTS:
        api.error(api.post(address, body), 400, "malformed")


def each(value: str) -> bytes:
    """An object that holds this JSON under every key that some request has."""
    return ("{" + ", ".join(f'"{key}": {value}' for key in KEYS) + "}").encode()


STRANGE = {
    "nothing": b"",
    "an empty object": b"{}",
    "lone surrogates": each(r'"\ud800\udbff"'),
    "NUL": each(r'"a\u0000b"'),
    "numbers": each("1e400"),
    "huge integers": each("9" * 4000),
    "null": each("null"),
    "true": each("true"),
    "objects": each('{"$ne": null}'),
    "lists 100 deep": each("[" * 100 + "]" * 100),
    "texts too long": each('"' + "x" * 9000 + '"'),
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_values_of_any_kind_are_400(body: bytes) -> None:
    for address in api.POSTS:
        answer = api.error(api.post(address, body), 400, "invalid")
        assert answer.get("has_booking", "absent") == (False if address == api.STATUS else "absent")


@pytest.mark.parametrize("depth", [400, 700, 800, 850, 900, 930, 950, 970, 990, 1500, 4000])
def test_values_nested_to_any_depth_are_400(depth: int) -> None:
    """How deep JSON is read differs between versions of Python; beyond that the body is malformed."""
    for address in api.POSTS:
        response = api.post(address, each("[" * depth + "]" * depth))
        api.error(response, 400, response.json()["code"])


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "text/html", "nonsense", "", "a" * 255]
)
def test_another_content_type_is_415(content_type: str) -> None:
    for address in api.POSTS:
        response = api.request("POST", address, data=b'{"a": 1}', content_type=content_type)
        api.error(response, 415, "unsupported_media_type")


def test_a_file_upload_is_415() -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\nasha@example.org\r\n--x--\r\n'
    for address in api.POSTS:
        response = api.request("POST", address, data=body, content_type="multipart/form-data; boundary=x")
        api.error(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "parameter", ["charset=zlib", "charset=utf-16", "charset=foo", "charset*=foo''x", "charset=a\\0"]
)
def test_json_is_utf_8_whatever_the_header_says(parameter: str) -> None:
    content_type = f"application/json; {parameter}"
    for address in api.POSTS:
        response = api.request("POST", address, data=b'{"a": 1}', content_type=content_type)
        api.error(response, 415, "unsupported_media_type")
    for address in (api.VERIFY, api.STATUS):
        environ = {"CONTENT_TYPE": content_type}
        api.error(api.request("GET", address, query={"a": "é"}, environ=environ), 400, "invalid")


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON; charset=UTF-8", 'application/json;charset="utf8"']
)
def test_json_is_known_however_it_is_announced(content_type: str) -> None:
    body = b'{"email": "asha@example.org"}'
    api.done(api.request("POST", api.STATUS, data=body, content_type=content_type))


class Unread(io.RawIOBase):
    """A body that must not be read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("read")


@pytest.mark.parametrize("length", [configured.MAX_BODY_BYTES + 1, 10 * 1024 * 1024, 10**17])
def test_a_body_too_long_is_413_without_being_read(length: int) -> None:
    environ = {"CONTENT_LENGTH": str(length), "wsgi.input": Unread()}
    for address in (*api.POSTS, api.HOOK, "/api/nothing/"):
        body = api.error(api.request("POST", address, environ=environ), 413, "too_large")
        assert ("has_booking" in body) == (address == api.STATUS)


@pytest.mark.parametrize("length", ["-1", "²", "1e3", "0x10", "9" * 5000])
def test_a_length_that_is_no_number_is_400(length: str) -> None:
    environ = {"CONTENT_LENGTH": length, "wsgi.input": Unread()}
    api.error(api.request("POST", api.DRAFT, environ=environ), 400, "malformed")


def test_a_body_of_the_longest_allowed_length_is_read() -> None:
    body = b'{"email": "asha@example.org"}'
    api.done(api.post(api.STATUS, body + b" " * (configured.MAX_BODY_BYTES - len(body))))


class CutOff(io.RawIOBase):
    """A body whose sender hung up."""

    def read(self, *_: object) -> bytes:
        raise ConnectionResetError


@pytest.mark.parametrize("stream", [io.BytesIO(b'{"email": '), CutOff()])
def test_a_body_that_ends_too_early_is_400(stream: io.IOBase) -> None:
    environ = {"CONTENT_LENGTH": "1000", "CONTENT_TYPE": "application/json", "wsgi.input": stream}
    api.error(api.request("POST", api.STATUS, environ=environ), 400, "malformed")


def test_more_query_fields_than_django_takes_are_400(caplog: pytest.LogCaptureFixture) -> None:
    query = {f"f{number}": "x" for number in range(1001)}
    for address in (api.VERIFY, api.STATUS):
        api.error(api.get(address, query), 400, "malformed")
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "image/*;q=0"])
def test_the_answer_is_json_whatever_is_accepted(accept: str) -> None:
    api.done(api.get(api.SUPPORT, accept=accept))
    api.done(api.get(api.SUPPORT, {"format": "html"}, accept=accept))
    api.error(api.get(api.STATUS, {"acknowledgement_id": "MS-000000"}, accept=accept), 404, "booking_unknown")
