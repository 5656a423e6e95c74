"""What a write carries besides its content: the idempotency key, and the digest that tells two writes apart."""

import hashlib

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from shared.kit.refusal import Refusal
from shared.kit.web.spool import Spool
from shared.kit.words import msg

KEY_FIELD = "idempotency_key"
CSRF_FIELD = "csrf"
FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")
LONGEST_KEY = 200


class KeyMissing(Refusal):
    """A write came without the key that makes it safe to repeat."""

    status = 400
    code = "idempotency_key_missing"
    title = msg("An Idempotency-Key is needed")

    def __init__(self) -> None:
        super().__init__(
            msg(
                "Send a header Idempotency-Key with a value of your own, 1 to 200 visible characters, new for each"
                " write and the same when you repeat it."
            )
        )


async def key_of(request: Request) -> str:
    """The idempotency key of a write: the header, or the hidden field of a form. Raises `KeyMissing`."""
    key = request.headers.get("idempotency-key")
    if key is None and is_form(request):
        posted = (await request.form()).get(KEY_FIELD)
        key = posted if isinstance(posted, str) else None
    key = (key or "").strip().strip('"')
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise KeyMissing
    return key


async def digest_of(request: Request, spool: Spool | None = None) -> bytes:
    """A SHA-256 of method, path, query and content; `spool` has the body where it was spooled.

    Of a form the fields count, not the bytes: a browser that repeats an upload draws a new boundary.
    """
    digest = hashlib.sha256()
    for part in (request.method, request.scope["path"], request.scope["query_string"].decode("latin-1")):
        _add(digest, part.encode())
    if spool is not None:
        _add(digest, spool.digest.digest())
    elif is_form(request):
        await _add_form(digest, await request.form())
    else:
        _add(digest, await request.body())
    return digest.digest()


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() in FORM_TYPES


async def _add_form(digest: "hashlib._Hash", form: FormData) -> None:
    for name, value in form.multi_items():
        if name in (KEY_FIELD, CSRF_FIELD):
            continue
        _add(digest, name.encode())
        if isinstance(value, UploadFile):
            await value.seek(0)
            _add(digest, await value.read())
            await value.seek(0)
        else:
            _add(digest, value.encode())


def _add(digest: "hashlib._Hash", part: bytes) -> None:
    """Length first, so that no two lists of parts read the same."""
    digest.update(len(part).to_bytes(8, "big"))
    digest.update(part)
