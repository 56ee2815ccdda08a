"""A REST API that gives the answers of a list, one to each request."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, str]


@dataclass
class Given:
    """Where the REST API is, the answers that are left, and the requests that came: headers and body."""

    url: str
    answers: list[Answer]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def answering(*answers: Answer) -> Iterator[Given]:
    """Serve on a free port. Each answer is a status and a body; a request beyond the last one gets none."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            given.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if not given.answers:
                return
            status, text = given.answers.pop(0)
            self.send_response(status)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    given = Given(f"http://127.0.0.1:{server.server_address[1]}", list(answers))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield given
    finally:
        server.shutdown()
        server.server_close()
