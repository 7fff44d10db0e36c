"""Writes points to a Tidemark server as native batches (ingest/native/README.md).

    with Client("http://127.0.0.1:8086", database="app") as client:
        client.write([Point("cpu", {"host": "a"}, {"user": 1.5, "forks": 3}, time.time_ns())])

A batch is sent again, with the same X-Write-Id, until the server has taken or refused it: each row is written once. Not
thread-safe: a client for each thread.
"""
import http.client
import json
import os
import random
import time
import urllib.parse

from tidemark.batch import Encoder, Point, UInt

__all__ = ["Client", "Point", "Refused", "UInt", "Unavailable"]

MEDIA_TYPE = "application/vnd.tidemark.batch"
AGAIN = (401, 403, 408, 429)
FIRST_WAIT_S, MOST_WAIT_S = 0.2, 30.0


class Refused(Exception):
    """Rows that the server did not take; the others of the batch are written when `status` is 400 and `rows` is not empty.

    `rows` are dicts with `row` (from 0, in the list that was written), `series` and `reason`.
    """

    def __init__(self, status, text, rows):
        super().__init__(f"the server answered {status}: {text}")
        self.status, self.text, self.rows = status, text, rows


class Unavailable(Exception):
    """The time that write() may take is over, and the server has not said that it has the rows. It may have them."""


class Client:
    def __init__(self, url, database="", token=None, timeout_s=30.0, give_up_s=120.0):
        """`timeout_s`: of one request; `give_up_s`: of write(), repeats included."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"\"{url}\" is no http:// or https:// address")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port or 8086, timeout=timeout_s)
        query = "?" + urllib.parse.urlencode({"db": database}) if database else ""
        self._target = parts.path.rstrip("/") + "/api/v1/native" + query
        self._headers = {"Content-Type": MEDIA_TYPE, "User-Agent": "tidemark-client-python"}
        if token:
            self._headers["Authorization"] = "Bearer " + token
        self._give_up_s = give_up_s
        self._name = os.urandom(16).hex()
        self._encoder = Encoder(self._name)
        self._written = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()

    def write(self, points):
        """Returns when all rows are on the server's disk. Raises Refused, Unavailable, ValueError for a point that is none."""
        points = [point if point.time_ns is not None else point.at(time.time_ns()) for point in points]
        if not points:
            return
        self._written += 1
        write_id = f"{self._name}-{self._written}"
        until = time.monotonic() + self._give_up_s
        wait_s, forgotten = FIRST_WAIT_S, 0
        while True:
            body, order = self._encoder.encode(points, alone=forgotten > 1)
            status, reply, retry_after = self._post(body, write_id)
            if status == 204:
                self._encoder.acknowledge()
                return
            if status == 409 and forgotten <= 1:
                # It was started anew, or has forgotten our series: it is told all of them.
                self._encoder.forget()
                forgotten += 1
                continue
            if status != 0 and status < 500 and status not in AGAIN:
                self._refuse(status, reply, order)
            if time.monotonic() + wait_s > until:
                raise Unavailable(reply)
            time.sleep(max(random.uniform(wait_s / 2, wait_s), min(retry_after, MOST_WAIT_S)))
            wait_s = min(2 * wait_s, MOST_WAIT_S)

    def _post(self, body, write_id):
        """Status, text and seconds of Retry-After; status 0: no answer came."""
        try:
            self._connection.request("POST", self._target, body, {**self._headers, "X-Write-Id": write_id})
            response = self._connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            after = response.getheader("Retry-After", "")
            return response.status, text, float(after) if after.isdigit() else 0.0
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return 0, f"{type(error).__name__}: {error}", 0.0

    def _refuse(self, status, reply, order):
        try:
            said = json.loads(reply)
            text, rows = said["error"], said.get("rows", [])
        except (ValueError, KeyError, TypeError):
            text, rows = reply.strip(), []
        if text.startswith("partial write"):
            self._encoder.acknowledge()
        else:
            self._encoder.forget()
        rows = [{**row, "row": order[row["row"] - 1]} if 0 < row["row"] <= len(order) else row for row in rows]
        rows.sort(key=lambda row: row["row"])
        raise Refused(status, text, rows)
