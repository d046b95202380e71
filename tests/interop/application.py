"""An application on this machine to which people come back after a consent."""

import http.server
import threading
import urllib.parse


PAGE = "<!DOCTYPE html><title>The application</title><h1>The application</h1>"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.server.pages.get(self.path, PAGE).encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Application:
    """Serves its return URL on a free port. Use it in a `with` statement."""

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # Another site than the local service's.
        self.url = f"http://localhost:{self.server.server_port}"
        self.return_url = f"{self.url}/callback"
        # By path, what is not the application's usual page.
        self.pages = self.server.pages = {}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def arrival(self, page):
        """What the browser brought along when it came to the return URL."""
        page.wait_for_url(f"{self.return_url}?*")
        assert page.title() == "The application"
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query, strict_parsing=True))
