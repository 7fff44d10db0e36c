"""Prometheus remote write 1.0 from nothing: protobuf WriteRequest in snappy's block format, standard library only.

https://prometheus.io/docs/specs/prw/remote_write_spec/
"""
import http.client
import struct

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
           "X-Prometheus-Remote-Write-Version": "0.1.0"}
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def is_stale(value):
    return value is STALE


def sample(time_ms, value):
    # A signalling NaN does not survive every float operation, so its bits are written as such.
    bits = struct.pack("<Q", 0x7FF0000000000002) if is_stale(value) else struct.pack("<d", value)
    return field(2, b"\x09" + bits + b"\x10" + varint(time_ms))


def series(labels, samples):
    """labels: a dict with __name__, or pairs of bytes as they are to come; samples: (milliseconds, value) by time."""
    if isinstance(labels, dict):
        labels = [(name.encode(), value.encode()) for name, value in sorted(labels.items())]
    body = b"".join(field(1, field(1, name) + field(2, value)) for name, value in labels)
    return field(1, body + b"".join(sample(*s) for s in samples))


def snappy(data, declared=None):
    """Snappy's block format, literals only: what a compressor makes of noise. `declared`: another length in front."""
    out = bytearray(varint(len(data) if declared is None else declared))
    for start in range(0, len(data), 65536):
        chunk = data[start:start + 65536]
        out += b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk
    return bytes(out)


def send(port, target, all_series):
    """Posts one request; (status, body)."""
    body = snappy(b"".join(series(labels, samples) for labels, samples in all_series))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", target, body, HEADERS)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()
