"""The floor: the service's framework and server, with handlers that only read the upload.

`python -m tests.benchmarks.floor PORT` answers POST /raw (the body) and POST /multipart (a form with the field file).
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI, Request, UploadFile

app = FastAPI()


@app.post("/raw")
async def raw(request: Request) -> dict[str, int]:
    return {"bytes": len(await request.body())}


@app.post("/multipart")
async def multipart(file: UploadFile) -> dict[str, int]:
    return {"bytes": len(await file.read())}


@app.get("/readyz")
async def readyz() -> dict[str, str]:
    return {"status": "ready"}


if __name__ == "__main__":
    # As app/api/server.py has it, but for its limits.
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
    )
