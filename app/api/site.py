"""The project's own pages: files of `app/page`, which know no more of the service than its API tells."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.files import StoredFile
from app.api.pages import OWN_PAGE_HEADERS

_PAGES = ("index.html", "about.html")
_GET_AND_HEAD = ["GET", "HEAD"]  # probes ask for the head alone; the server leaves the body out


def site_routes() -> APIRouter:
    """The routes of the pages. Every file is read now, so that a path can name nothing else."""
    stored = _read(files("app") / "page")
    pages = {name: stored.pop(name) for name in _PAGES}
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/", methods=_GET_AND_HEAD)
    async def index(request: Request) -> Response:
        return pages["index.html"].response(request, OWN_PAGE_HEADERS)

    @routes.api_route("/about", methods=_GET_AND_HEAD)
    async def about(request: Request) -> Response:
        return pages["about.html"].response(request, OWN_PAGE_HEADERS)

    @routes.get("/page/{path:path}")
    async def asset(request: Request, path: str) -> Response:
        if path not in stored:
            raise HTTPException(404)
        return stored[path].response(request)

    return routes


def _read(folder: Traversable, prefix: str = "") -> dict[str, StoredFile]:
    stored: dict[str, StoredFile] = {}
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            stored |= _read(entry, f"{name}/")
        else:
            stored[name] = StoredFile.of(entry.name, entry.read_bytes())
    return stored
