"""What a request is refused with: a name, a status and one sentence a person can act on."""

from typing import ClassVar


class Refusal(Exception):
    """A refusal the web answers with as problem+json or as a page.

    `status` is the HTTP status; `code` names the refusal for programs (the last part of the problem's `type`);
    `title` is a message id of the catalogue; `detail` says what stood in the way, also a message id where it
    is shown to people, and never holds a name or any other personal word. `headers` go out with the answer.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "The request was refused"

    def __init__(self, detail: str = "", *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
