"""Who misuses TLS handshakes, 2,000 times if asked: ones that come a byte at a time, ones that stop halfway, and handshakes that
are asked for again on a connection that has had its own. OpenSSL itself by ctypes, since Python's ssl cannot ask again."""
import ctypes
import ctypes.util
import socket
import struct
import threading
import time

# A ClientHello of TLS 1.2 and 1.3 as OpenSSL sends it, by the server's own library: recorded when it is first needed.
_HELLO = None


def client_hello():
    """The first bytes of a handshake, as a client sends them."""
    global _HELLO
    if _HELLO is None:
        import ssl
        inside, outside = ssl.MemoryBIO(), ssl.MemoryBIO()
        asking = ssl.create_default_context().wrap_bio(inside, outside, server_hostname="localhost")
        try:
            asking.do_handshake()
        except ssl.SSLWantReadError:
            pass
        _HELLO = outside.read()
    return _HELLO


def connect(port):
    one = socket.create_connection(("127.0.0.1", port), timeout=60)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def slow(port, count, stop):
    """`count` handshakes at once, each a byte now and then; a connection that the server ends is opened again. How often."""
    hello, ended = client_hello(), 0
    open_ones = [[connect(port), 0] for _ in range(count)]
    while not stop.is_set():
        for one in open_ones:
            if stop.is_set():
                break
            try:
                one[0].send(hello[one[1] % len(hello):one[1] % len(hello) + 1])
                one[1] += 1
            except OSError:
                one[0].close()
                one[0], one[1], ended = connect(port), 0, ended + 1
        stop.wait(0.02)
    for one, _ in open_ones:
        one.close()
    return ended


def half_open(port, count, stop):
    """`count` handshakes at once that say hello, take the answer and say no more; ended ones are opened again. How often."""
    hello, ended, open_ones = client_hello(), 0, []
    for _ in range(count):
        one = connect(port)
        one.sendall(hello)
        open_ones.append(one)
    while not stop.is_set():
        for at, one in enumerate(open_ones):
            try:
                one.setblocking(False)
                gone = not one.recv(65536)
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                one.close()
                open_ones[at], ended = connect(port), ended + 1
                open_ones[at].sendall(hello)
            if stop.is_set():
                break
        stop.wait(0.1)
    for one in open_ones:
        one.close()
    return ended


class Library:
    """What of OpenSSL is needed to ask for another handshake."""

    TLS1_2 = 0x0303

    def __init__(self):
        self.ssl = ctypes.CDLL(ctypes.util.find_library("ssl") or "libssl.so.3")
        for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
            getattr(self.ssl, name).restype = ctypes.c_void_p
        self.context = ctypes.c_void_p(self.ssl.SSL_CTX_new(ctypes.c_void_p(self.ssl.TLS_client_method())))
        self.ssl.SSL_CTX_ctrl(self.context, 124, ctypes.c_long(self.TLS1_2), None)  # SSL_CTX_set_max_proto_version

    def renegotiate(self, port, times):
        """One connection that asks for so many handshakes behind its own: how many it was given."""
        with connect(port) as one:
            # OpenSSL waits itself: the descriptor of a socket with a time limit of Python's does not.
            one.settimeout(None)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 60, 0))
            ssl = ctypes.c_void_p(self.ssl.SSL_new(self.context))
            try:
                self.ssl.SSL_set_fd(ssl, one.fileno())
                if self.ssl.SSL_connect(ssl) != 1:
                    raise ConnectionError("no first handshake")
                for given in range(times):
                    self.ssl.SSL_renegotiate(ssl)
                    # Sends the hello, and reads until the new handshake is done or refused.
                    if self.ssl.SSL_do_handshake(ssl) != 1:
                        return given
                return times
            finally:
                self.ssl.SSL_free(ssl)


def renegotiate(port, count, stop, seconds=0, threads=4):
    """`count` connections on a few threads, spread over `seconds`, each asking for three more handshakes. How many were given."""
    library, given, lock = Library(), [0], threading.Lock()

    def work(mine):
        began = time.monotonic()
        for number in range(mine):
            if stop.wait(max(0, began + seconds * number / mine - time.monotonic())):
                return
            try:
                got = library.renegotiate(port, 3)
            except OSError:
                got = 0
            with lock:
                given[0] += got
    workers = [threading.Thread(target=work, args=(count // threads,)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return given[0]


ATTACKS = {"slow handshakes": slow, "half-open handshakes": half_open, "renegotiations": renegotiate}


def during(port, name, count, seconds, result):
    """Runs an attack for `seconds`; its count goes into the queue `result`."""
    stop = threading.Event()
    if name == "renegotiations":
        result.put(renegotiate(port, count, stop, seconds))
        return
    threading.Timer(seconds, stop.set).start()
    result.put(ATTACKS[name](port, count, stop))
