"""How a batch gets to the server, and what it says: over HTTP, or over the TCP stream of ingest/native/README.md.

Each transport has `post(encode, write_id)`, which returns an Answer and keeps its connection, and `close()`. The batch is what
`encode(sequence, write_id)` returns, since over TCP it says these itself; what that raises goes through.
"""
import dataclasses
import http.client
import json
import socket
import ssl
import struct
import urllib.parse

import flatbuffers

from tidemark.wire import Hello, Reply

MEDIA_TYPE = "application/vnd.tidemark.batch"
HELLO, BATCH, REPLY = 1, 2, 3
# A reply names a hundred rows at most; a longer one is none of ours.
MOST_REPLY_BYTES = 8 << 20
PORTS = {"http": 8086, "https": 8086, "tcp": 8087, "tcps": 8087}


@dataclasses.dataclass
class Answer:
    """What the server said of a batch; `status` 0: nothing came. `rows` are dicts with row (from 1), column, series, reason."""
    status: int
    text: str = ""
    rows: list = dataclasses.field(default_factory=list)
    retry_after_s: float = 0.0


def transport_to(url, database, token, timeout_s, tls=None):
    """`url`: http://, https://, tcp:// or tcps://HOST[:PORT]. `tls`: an ssl.SSLContext; None: the system's authorities are
    believed. ValueError for another one."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(f"\"{url}\" is no http://, https://, tcp:// or tcps:// address")
    port = parts.port or PORTS[parts.scheme]
    if parts.scheme in ("http", "https"):
        return HttpTransport(parts, port, database, token, timeout_s, tls)
    if parts.path.strip("/") or parts.query:
        raise ValueError(f"\"{url}\": an address over TCP has no path")
    context = (tls or ssl.create_default_context()) if parts.scheme == "tcps" else None
    return StreamTransport(parts.hostname, port, database, token, timeout_s, context)


class HttpTransport:
    """One connection that is kept, and opened anew after an error."""

    def __init__(self, parts, port, database, token, timeout_s, tls):
        if parts.scheme == "https":
            self._connection = http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=tls)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)
        query = "?" + urllib.parse.urlencode({"db": database}) if database else ""
        self._target = parts.path.rstrip("/") + "/api/v1/native" + query
        self._headers = {"Content-Type": MEDIA_TYPE, "User-Agent": "tidemark-client-python"}
        if token:
            self._headers["Authorization"] = "Bearer " + token

    def close(self):
        self._connection.close()

    def post(self, encode, write_id):
        body = encode(0, "")
        try:
            self._connection.request("POST", self._target, body, {**self._headers, "X-Write-Id": write_id})
            response = self._connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            after = response.getheader("Retry-After", "")
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return Answer(0, f"{type(error).__name__}: {error}")
        after_s = float(after) if after.isdigit() else 0.0
        try:
            said = json.loads(text)
            return Answer(response.status, said["error"], said.get("rows", []), after_s)
        except (ValueError, KeyError, TypeError):
            return Answer(response.status, text.strip(), [], after_s)


class StreamTransport:
    """One connection that begins with a hello, made when it is needed. Batches name their client, as over HTTP, so that
    another connection goes on with what the server was told."""

    def __init__(self, host, port, database, token, timeout_s, context):
        self._host, self._port, self._timeout_s, self._context = host, port, timeout_s, context
        self._database, self._token = database, token or ""
        self._socket, self._sequence = None, 0

    def close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def post(self, encode, write_id):
        self._sequence += 1
        message = encode(self._sequence, write_id)
        try:
            if self._socket is None:
                refused = self._open()
                if refused is not None:
                    return refused
            self._send(BATCH, message)
            return self._answer(self._sequence)
        except (OSError, EOFError, ValueError, struct.error) as error:
            # What comes on this connection from now on may be the answer to something else.
            self.close()
            return Answer(0, f"{type(error).__name__}: {error}")

    def _open(self):
        """None, or why the server does not speak with us."""
        plain = socket.create_connection((self._host, self._port), timeout=self._timeout_s)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self._context.wrap_socket(plain, server_hostname=self._host) if self._context else plain
        except BaseException:
            plain.close()
            raise
        builder = flatbuffers.Builder(128)
        token, database = builder.CreateString(self._token), builder.CreateString(self._database)
        Hello.HelloStart(builder)
        Hello.HelloAddToken(builder, token)
        Hello.HelloAddDatabase(builder, database)
        builder.Finish(Hello.HelloEnd(builder))
        self._send(HELLO, bytes(builder.Output()))
        answer = self._answer(0)
        if answer.status == 204:
            return None
        self.close()
        return answer

    def _send(self, kind, message):
        self._socket.sendall(struct.pack("<II", len(message), kind) + message)

    def _exactly(self, size):
        out = bytearray()
        while len(out) < size:
            piece = self._socket.recv(size - len(out))
            if not piece:
                raise EOFError("the server has closed the connection")
            out += piece
        return bytes(out)

    def _answer(self, sequence):
        size, kind = struct.unpack("<II", self._exactly(8))
        if kind != REPLY or size > MOST_REPLY_BYTES:
            raise ValueError(f"a frame of kind {kind} with {size} bytes is no reply")
        try:
            reply = Reply.Reply.GetRootAs(self._exactly(size), 0)
            said = reply.Sequence()
            rows = [{"row": fault.Row(), "column": fault.Column(), "series": (fault.Series() or b"").decode("utf-8", "replace"),
                     "reason": (fault.Reason() or b"").decode("utf-8", "replace")}
                    for fault in (reply.Faults(i) for i in range(reply.FaultsLength()))]
            text = (reply.Error() or b"").decode("utf-8", "replace")
            answer = Answer(reply.Status(), text, rows, reply.RetryAfterMs() / 1e3)
        except (IndexError, TypeError) as error:
            raise ValueError(f"a damaged reply: {error}") from error
        # A frame that is too long is answered out of turn, and ends the connection.
        if said != sequence and answer.status == 204:
            raise ValueError(f"the reply is to batch {said}, and not to {sequence}")
        return answer
