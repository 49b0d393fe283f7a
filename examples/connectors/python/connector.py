#!/usr/bin/env python3
"""Machines that are processes of this host: a connector of Paceline in one file of Python.

It speaks the protocol of docs/connector-protocol.md. What it does with machines is in the class `Processes`; to speak to a cloud of
yours, replace that. It needs Python 3.8 and nothing else; configuration: {"root": "/absolute/directory"}.
"""

import base64
import codecs
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone


class Failure(Exception):
    """What the engine is told: a code that says what to do about it, and words for people."""

    def __init__(self, code, message, **details):
        super().__init__(message)
        self.body = {"code": code, "message": message, **details}


class Processes:
    """One directory for each machine, named as the machine: `record.json`, `user-data`, `console.log` and `process`."""

    def __init__(self, config):
        root = config.get("root")
        if not isinstance(root, str) or not os.path.isabs(root):
            raise Failure("invalid", "the configuration needs `root`, an absolute directory")
        self.root = root
        self.lock = threading.Lock()

    def launch(self, params, call):
        machines = [self.make(machine, params, call) for machine in params["machines"]]
        return {"machines": [self.describe_one(name) for name in machines]}

    def make(self, machine, params, call):
        call.check()
        name = machine["name"]
        folder = self.folder(name)
        if folder is None:
            raise Failure("invalid", f"{name} cannot be the name of a machine")
        with self.locked():
            record = self.record(name)
            if record is not None and record["token"] != params["token"]:
                raise Failure("conflict", f"there is another machine {name}")
            if record is None:
                record = {"name": name, "index": machine["index"], "token": params["token"], "owner": params["owner"]}
                record.update(expiresAt=params["expiresAt"], createdAt=now())
                # A directory that is half made is not named as a machine is.
                draft = folder + ".new"
                shutil.rmtree(draft, ignore_errors=True)
                os.makedirs(draft)
                write(draft + "/user-data", base64.b64decode(machine["userData"]), 0o700)
                write(draft + "/record.json", json.dumps(record).encode())
                os.rename(draft, folder)
            # Whoever launches again finishes what was begun, and boots nothing twice.
            if not os.path.exists(folder + "/process"):
                self.boot(folder, record)
        return name

    @staticmethod
    def boot(folder, record):
        life = max(1, int(moment(record["expiresAt"]).timestamp() - time.time()))
        script = "./user-data; while :; do sleep 3600; done"
        environment = {**os.environ, "PACELINE_ROOT": folder, "HOME": folder}
        with open(folder + "/console.log", "ab") as console:
            process = subprocess.Popen(
                ["timeout", "--signal=KILL", str(life), "sh", "-c", script],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True, env=environment,
            )  # fmt: skip
        write(folder + "/process", f"{process.pid} {started(process.pid)}".encode())
        # Somebody has to hear of its end, or it stays as a zombie.
        threading.Thread(target=process.wait, daemon=True).start()

    def describe(self, params, call):
        found = (self.describe_one(name) for name in params["ids"] if self.record(name) is not None)
        return {"machines": [machine for machine in found if machine is not None]}

    def describe_one(self, name):
        record = self.record(name)
        if record is None:
            return None
        state = "running" if self.pid(name) is not None else "stopped"
        return {
            "id": name, "name": name, "index": record["index"], "state": state, "privateIps": ["127.0.0.1"], "createdAt": record["createdAt"],
        }  # fmt: skip

    def list(self, params, call):
        for name in sorted(os.listdir(self.root)) if os.path.isdir(self.root) else []:
            call.check()
            record = self.record(name)
            if record is None or record["owner"]["engine"] != params["engine"]:
                continue
            if params.get("run", record["owner"]["run"]) != record["owner"]["run"]:
                continue
            if params.get("token", record["token"]) != record["token"]:
                continue
            machine = self.describe_one(name)
            if machine is not None:
                call.item({
                    "kind": "machine", "id": name, "name": name, "owner": record["owner"], "token": record["token"],
                    "expiresAt": record["expiresAt"], "machine": machine,
                })  # fmt: skip
        return {}

    def terminate(self, params, call):
        for name in params["ids"]:
            call.check()
            with self.locked():
                if self.record(name) is not None:
                    self.end(name)
        return {"results": [{"id": name, "gone": True} for name in params["ids"]]}

    def end(self, name):
        folder = self.folder(name)
        pid = self.pid(name)
        if pid is not None:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        # From here on nobody takes it for a machine, also when what follows is cut off.
        gone = f"{folder}.gone.{time.time_ns()}"
        os.rename(folder, gone)
        shutil.rmtree(gone, ignore_errors=True)

    def probe(self, params, call):
        os.makedirs(self.root, exist_ok=True)
        return {"account": f"user {os.getuid()} at {self.root}", "regions": ["here"]}

    def console(self, params, call):
        if self.record(params["id"]) is None:
            raise Failure("notFound", f"there is no machine {params['id']}")
        with open(self.folder(params["id"]) + "/console.log", "rb") as console:
            console.seek(params["since"])
            data = console.read(256 * 1024)
        # Half a character waits for its other half.
        text, read = codecs.utf_8_decode(data, "replace", False)
        return {"text": text, "next": params["since"] + read}

    def folder(self, name):
        return os.path.join(self.root, name) if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name) else None

    def record(self, name):
        folder = self.folder(name)
        try:
            with open(folder + "/record.json") as file:
                return json.load(file)
        except (TypeError, FileNotFoundError, NotADirectoryError):
            return None

    def pid(self, name):
        """The process of a machine while it is there; a later one with the same number is another."""
        try:
            with open(self.folder(name) + "/process") as file:
                pid, start = file.read().split()
            return int(pid) if started(int(pid)) == start else None
        except (FileNotFoundError, ValueError):
            return None

    def locked(self):
        """One launch or end at a time, in this process and in others."""
        os.makedirs(self.root, exist_ok=True)
        return FileLock(self.root + "/lock", self.lock)


class FileLock:
    def __init__(self, path, inner):
        self.path, self.inner = path, inner

    def __enter__(self):
        self.inner.acquire()
        self.file = open(self.path, "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()
        self.inner.release()


def started(pid):
    """When a process was started, as the kernel counts; None when it is not there, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return None if fields[0] == "Z" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def write(path, data, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)


def now():
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Call:
    """One request, from its line to its answer."""

    def __init__(self, number):
        self.number, self.cancelled = number, threading.Event()

    def check(self):
        if self.cancelled.is_set():
            raise Failure("timeout", "the call was cancelled")

    def item(self, item):
        say({"id": self.number, "item": item})


speaking = threading.Lock()


def say(message):
    with speaking:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def answer(call, method, params, calls):
    try:
        say({"id": call.number, "result": method(params, call)})
    except Failure as failure:
        say({"id": call.number, "error": failure.body})
    except Exception as error:  # The engine has to hear of mistakes of ours, too.
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        say({"id": call.number, "error": {"code": "internal", "message": f"{type(error).__name__}: {error}"}})
    finally:
        calls.pop(call.number, None)


def main():
    methods, calls = {}, {}
    workers = ThreadPoolExecutor(max_workers=8)
    for line in sys.stdin:
        request = json.loads(line)
        params = request.get("params", {})
        if request["method"] == "cancel":
            call = calls.get(params["id"])
            if call is not None:
                call.cancelled.set()
            continue
        call = calls[request["id"]] = Call(request["id"])
        if request["method"] == "hello":
            methods = greet(call, params, calls)
        else:
            method = methods.get(request["method"], unknown)
            workers.submit(answer, call, method, params, calls)
    # Nobody listens any more. The machines stay: another connector finds them.
    os._exit(0)


def greet(call, params, calls):
    greeting = {
        "protocol": 1, "name": "python-processes", "version": "1.0.0", "methods": ["consoleLog"],
        "capabilities": {
            "userDataBytes": 262144, "maxBatch": 32, "idempotency": "name", "listConsistencyMs": 0, "console": "incremental", "reach": "host",
        },
    }  # fmt: skip
    made = {}

    def method(given, _):
        made["processes"] = Processes(given["config"])
        return greeting

    answer(call, method, params, calls)
    processes = made.get("processes")
    if processes is None:
        return {}
    return {
        "launch": processes.launch, "describe": processes.describe, "list": processes.list, "terminate": processes.terminate,
        "probe": processes.probe, "consoleLog": processes.console,
    }  # fmt: skip


def unknown(_params, _call):
    raise Failure("unsupported", "this connector does not know that method")


if __name__ == "__main__":
    main()
