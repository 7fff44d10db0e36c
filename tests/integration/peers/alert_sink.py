"""A receiver of webhooks that notes what it gets, and answers as it is told."""
import http.server
import json
import threading


class AlertSink:
    """with AlertSink() as sink: ... sink.url ... sink.messages"""

    def __init__(self, port=0, context=None):
        self.messages = []  # what was taken: (path, JSON)
        self.keys = []      # their Idempotency-Key
        self.authorizations = []  # of all that came
        self.refused = 0
        self.pings = []     # paths of GET
        self.answer = 200
        self.headers = {}
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.authorizations.append(self.headers.get("Authorization"))
                if sink.answer == 200:
                    sink.messages.append((self.path, json.loads(body)))
                    sink.keys.append(self.headers.get("Idempotency-Key"))
                else:
                    sink.refused += 1
                self.send_response(sink.answer)
                for name, value in sink.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                sink.pings.append(self.path)
                self.send_response(sink.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self.port}"
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def told(self, path=None):
        """[(status of the message, [(alertname, status)...])] in the order of arrival."""
        return [(message["status"], sorted((alert["labels"]["alertname"], alert["status"]) for alert in message["alerts"]))
                for at, message in list(self.messages) if path is None or at == path]
