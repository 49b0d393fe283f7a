#!/bin/sh
# Writes the balancer.
set -e
cat > front.py <<'PROGRAM'
import http.client
import http.server
import itertools
import sys

turn = itertools.count()
down = set()
known = None


def servers():
    """Those in the file, each of which may have come back when the file is another one."""
    global known
    with open('servers') as file:
        names = file.read().split()
    if names != known:
        known = names
        down.clear()
    return [name for name in names if name not in down] or names


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        names = servers()
        first = next(turn)
        for at in range(len(names)):
            name = names[(first + at) % len(names)]
            try:
                return self.hand_over(name)
            except (OSError, http.client.HTTPException):
                down.add(name)
        self.send_error(502, 'No server can take this')

    def hand_over(self, name):
        connection = http.client.HTTPConnection(name, timeout=2)
        try:
            connection.request('GET', self.path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status == 503:
            raise http.client.HTTPException('it is about to go')
        self.send_response(answer.status)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
PROGRAM
