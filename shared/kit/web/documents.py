"""What an OpenAPI document says of each route besides the route's own words: how errors look, which key a write needs.

`PROBLEMS` is given to the whole application. A route whose action asks `key_of` has `openapi_extra=KEYED`.
"""

from typing import Any

from shared.kit.web.forms import LONGEST_KEY
from shared.kit.web.problems import PROBLEM_JSON

TEXT = {"type": "string"}

PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `title` and `detail` are in the reader's language.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": TEXT,
        "status": {"type": "integer"},
        "detail": TEXT,
        "instance": {"type": "string", "format": "uri"},
        "code": TEXT,
        "errors": {
            "type": "array",
            "description": "What is wrong with which field (a JSON pointer), and what to do.",
            "items": {
                "type": "object",
                "required": ["field", "message", "remedy"],
                "properties": {"field": TEXT, "message": TEXT, "remedy": TEXT},
            },
        },
    },
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"description": "Refused, or failed", "content": {PROBLEM_JSON: {"schema": PROBLEM}}}
}

KEYED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Of your own making, new for each write; repeated with the same content it has no second"
            " effect and gets the first answer.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        }
    ]
}
