"""What stands between a client and a server, and cuts connections."""
import contextlib
import socket
import threading


class Relay:
    """Hands bytes on to `port`, and cuts its connections when it is asked to, or after so many bytes of an answer. `context`: TLS
    towards the client."""

    def __init__(self, port, context=None):
        self.to, self.context, self.cut_replies, self.cuts, self.pairs = port, context, False, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                client = self.context.wrap_socket(client, server_side=True) if self.context else client
                server = socket.create_connection(("127.0.0.1", self.to))
            except OSError:
                if self.listener.fileno() < 0:
                    return
                continue
            self.pairs.append((client, server))
            threading.Thread(target=self._copy, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._copy, args=(server, client, True), daemon=True).start()

    def _copy(self, source, sink, answers):
        seen = 0
        try:
            while piece := source.recv(65536):
                # Behind the answer to the hello: a batch was written, and its sender does not hear of it.
                if answers and self.cut_replies and seen > 0:
                    self.cut_replies = False
                    self.cuts += 1
                    break
                seen += len(piece)
                sink.sendall(piece)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for pair in self.pairs:
            for one in pair:
                one.close()
