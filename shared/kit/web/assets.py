"""Style sheets, scripts and pictures: read once, compressed once, cached by browsers for ever under their sum."""

import gzip
import hashlib
import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

KIT_STATIC = Path(__file__).parent.parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str
    sum: str


class Assets:
    """The files of some folders by name; a later folder adds to the kit's, it cannot replace them."""

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._assets: dict[str, Asset] = {}
        for folder in (KIT_STATIC, *folders):
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    self._assets.setdefault(file.relative_to(folder).as_posix(), _read(file))

    def url(self, name: str) -> str:
        """The address of an asset, with its sum. Raises KeyError for a file that is not there."""
        return f"/static/{name}?v={self._assets[name].sum}"

    async def respond(self, request: Request) -> Response:
        """GET /static/{name}."""
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        is_exact = request.query_params.get("v") == asset.sum
        headers = {
            "Cache-Control": FOR_EVER if is_exact else FOR_NOW,
            "ETag": f'"{asset.sum}"',
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", "") and len(asset.compressed) < len(asset.content):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.compressed, headers=headers, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)


def _read(file: Path) -> Asset:
    content = file.read_bytes()
    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Asset(
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
        # Of `text/…` the framework says by itself how it is written.
        media_type=f"{media_type}; charset=utf-8" if media_type.endswith("+xml") else media_type,
        sum=hashlib.sha256(content).hexdigest()[:12],
    )
