"""Writes points to a Tidemark server as native batches (ingest/native/README.md).

    with Client("http://127.0.0.1:8086", database="app") as client:
        client.write([Point("cpu", {"host": "a"}, {"user": 1.5, "forks": 3}, time.time_ns())])

A batch is sent again, with the same X-Write-Id, until the server has taken or refused it: each row is written once. Not
thread-safe: a client for each thread.
"""
import os
import random
import time

from tidemark.batch import Encoder, Point, UInt
from tidemark.transport import transport_to

__all__ = ["Client", "Point", "Refused", "UInt", "Unavailable"]

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
    def __init__(self, url, database="", token=None, timeout_s=30.0, give_up_s=120.0, tls=None):
        """`url`: http:// or https://HOST[:PORT], or tcp:// or tcps://HOST[:PORT] of a server's `--native`. `timeout_s`: of one
        request; `give_up_s`: of write(), repeats included. `tls`: an ssl.SSLContext for https:// and tcps://."""
        self._transport = transport_to(url, database, token, timeout_s, tls)
        self._give_up_s = give_up_s
        self._name = os.urandom(16).hex()
        self._encoder = Encoder(self._name)
        self._written = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._transport.close()

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
            order = []

            def encode(sequence, own_write_id, alone=forgotten > 1):
                body, order[:] = self._encoder.encode(points, alone, sequence, own_write_id)
                return body

            answer = self._transport.post(encode, write_id)
            status = answer.status
            if status == 204:
                self._encoder.acknowledge()
                return
            if status == 409 and forgotten <= 1:
                # It was started anew, or has forgotten our series: it is told all of them.
                self._encoder.forget()
                forgotten += 1
                continue
            if status != 0 and status < 500 and status not in AGAIN:
                self._refuse(answer, order)
            if time.monotonic() + wait_s > until:
                raise Unavailable(answer.text)
            time.sleep(max(random.uniform(wait_s / 2, wait_s), min(answer.retry_after_s, MOST_WAIT_S)))
            wait_s = min(2 * wait_s, MOST_WAIT_S)

    def _refuse(self, answer, order):
        if answer.text.startswith("partial write"):
            self._encoder.acknowledge()
        else:
            self._encoder.forget()
        rows = [{**row, "row": order[row["row"] - 1]} if 0 < row["row"] <= len(order) else row for row in answer.rows]
        rows.sort(key=lambda row: row["row"])
        raise Refused(answer.status, answer.text, rows)
