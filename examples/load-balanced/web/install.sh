#!/bin/sh
# Writes the web server.
set -e
cat > web.py <<'PROGRAM'
import http.server
import os
import sys
import threading

address, port, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
under_way = 0
change = threading.Condition()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global under_way
        if self.path == '/-/idle':
            # Answered when no request is under way any more.
            with change:
                change.wait_for(lambda: under_way == 0)
            return self.say(200, 'idle')
        with change:
            turned_away = os.path.exists('draining')
            under_way += not turned_away
        if turned_away:
            return self.say(503, 'draining')
        try:
            self.say(200, f'Hello from {name}')
        finally:
            with change:
                under_way -= 1
                change.notify_all()

    def say(self, status, text):
        body = f'{text}\n'.encode()
        self.send_response(status)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server((address, port), Handler).serve_forever()
PROGRAM
