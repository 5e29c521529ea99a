"""A provider of names at port 8053, and a server of mail at port 2525; both write down what they are told in /run/told."""
import os
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer


def tell(line):
    with open("/run/told", "a") as told:
        told.write(line + "\n")


class Names(BaseHTTPRequestHandler):
    def do_GET(self):
        tell(f"{self.path} {self.headers.get('Authorization')}")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"good 203.0.113.7\n")

    def log_message(self, *_):
        pass


class Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 far.test\r\n")
        data = False
        for line in self.rfile:
            word = line.strip().decode()
            if data:
                data = word != "."
                if not data:
                    self.wfile.write(b"250 kept\r\n")
                continue
            tell("mail " + word)
            data = word == "DATA"
            self.wfile.write(b"354 go on\r\n" if data else b"221 bye\r\n" if word == "QUIT" else b"250 far.test\r\n")


socketserver.ThreadingTCPServer.allow_reuse_address = True
names = HTTPServer(("127.0.0.1", 8053), Names)
mail = socketserver.ThreadingTCPServer(("127.0.0.1", 2525), Mail)
threading.Thread(target=mail.serve_forever, daemon=True).start()
ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ready.connect(os.environ["NOTIFY_SOCKET"])
ready.send(b"READY=1")
names.serve_forever()
