"""What a model version has to show beside its manifest: the card, and the plots of its reports."""

from __future__ import annotations

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from app.api.files import StoredFile
from app.errors import NotFound

_CARD = "README.md"


class ModelFiles:
    """The card and the plots of one version's folder; a name that is none of theirs is not found."""

    def __init__(self, folder: Path) -> None:
        self._card = folder / _CARD
        self._reports = {path.name: path for path in sorted((folder / "reports").glob("*.png"))}

    @property
    def reports(self) -> list[str]:
        return list(self._reports)

    async def card(self, request: Request) -> Response:
        """The model card, in Markdown. Raises NotFound where the version has none."""
        return await _response(request, self._card)

    async def report(self, request: Request, name: str) -> Response:
        """One plot, a PNG. Raises NotFound for any other name."""
        if name not in self._reports:
            raise NotFound("The model has no such report; /model/reports lists those that it has.")
        return await _response(request, self._reports[name])


async def _response(request: Request, path: Path) -> Response:
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError:
        raise NotFound(f"This version of the model has no {path.name}.") from None
    return StoredFile.of(path.name, data).response(request)
