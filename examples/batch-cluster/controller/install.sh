#!/bin/sh
# Installs the queue: a worker with the key and a known address asks for a job with GET and brings its result with PUT.
set -e
cat > queue.py <<'PYTHON'
import http.server, os, sys

address, port, jobs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
key = os.environ['CLUSTER_KEY']
members = set(open('nodes').read().split())
waiting, results = list(range(1, jobs + 1)), {}

class Queue(http.server.BaseHTTPRequestHandler):
    def answer(self, status, text=''):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def allowed(self):
        good = self.headers.get('x-key') == key and self.headers.get('x-worker') in members
        if not good:
            self.answer(403)
        return good

    def do_GET(self):
        if self.allowed():
            self.answer(200, str(waiting.pop(0))) if waiting else self.answer(204)

    def do_PUT(self):
        if not self.allowed():
            return
        job, size = int(self.path[1:]), int(self.headers['content-length'])
        results[job] = (self.headers['x-worker'], self.rfile.read(size).decode())
        if len(results) == jobs:
            with open('results', 'w') as out:
                for job, (worker, value) in sorted(results.items()):
                    out.write(f'{job} {worker} {value}\n')
        self.answer(200)

http.server.ThreadingHTTPServer((address, port), Queue).serve_forever()
PYTHON
