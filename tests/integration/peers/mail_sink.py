"""A receiver of mail that notes what it gets: as much of SMTP (RFC 5321) as a sender without TLS needs."""
import socketserver
import threading


class MailSink:
    """with MailSink() as sink: ... sink.port ... sink.mails"""

    def __init__(self):
        self.mails = []  # (from, [to...], headers and body)
        self.refused = 0
        self.refusal = ""  # what RCPT is answered; empty: it is taken
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

            def handle(self):
                self.say("220 sink")
                sender, recipients = "", []
                for line in self.rfile:
                    word, _, rest = line.decode().strip().partition(" ")
                    if word.upper() == "MAIL":
                        sender, recipients = rest.split("<")[1].split(">")[0], []
                        self.say("250 ok")
                    elif word.upper() == "RCPT" and sink.refusal:
                        sink.refused += 1
                        self.say(sink.refusal)
                    elif word.upper() == "RCPT":
                        recipients.append(rest.split("<")[1].split(">")[0])
                        self.say("250 ok")
                    elif word.upper() == "DATA":
                        self.say("354 go on")
                        text = b""
                        for part in self.rfile:
                            if part == b".\r\n":
                                break
                            text += part.removeprefix(b".")
                        sink.mails.append((sender, recipients, text.decode()))
                        self.say("250 taken")
                    elif word.upper() == "QUIT":
                        self.say("221 bye")
                        return
                    else:
                        self.say("250 ok")

        socketserver.ThreadingTCPServer.daemon_threads = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
