"""A web game on an origin of its own: a page, and the compiled TypeScript client in dist/."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import npm_packages
from tools import REPOSITORY

# Plays a session; its argument is the REST API's address, a key, and settings of the client.
PLAY = """
async ([url, key, settings]) => {
  const { Client } = await import("/dist/index.js");
  const problems = [];
  const all = { ...settings, firstRetrySeconds: 0.1, onProblem: (problem) => problems.push(problem) };
  const client = new Client(url, key, { platform: "web", app_version: "1.0" }, all);
  const session = client.startSession("p-1");
  session.track("design", { name: "menu:opened" });
  session.end();
  await client.close();
  return { problems, stats: client.stats };
}
"""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Serve on a free port; give its origin."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def made(folder: Path) -> Path:
    """Make the game's files in an empty folder."""
    compiled = npm_packages.compiled(REPOSITORY / "clients" / "typescript", "client-typescript")
    (folder / "dist").symlink_to(compiled / "dist")
    (folder / "index.html").write_text("<!doctype html><link rel=icon href=data:,><title>Game</title>")
    return folder


@contextmanager
def published(folder: Path) -> Iterator[str]:
    """Serve a folder; give its origin."""

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with served(Handler) as address:
        yield address
