/** The part of the supervisor that knows one machine: its processes, its console, and the way to its engine. */
export const machineProgram = String.raw`
import asyncio
import signal

CONSOLE_LIMIT = 16 * 1024 * 1024


class Machine:
    def __init__(self, name):
        self.name = name
        self.directory = f"machines/{name}"
        self.record = read_json(self.path("machine.json"))
        self.expires = self.record["expires"]
        self.slot = None
        self.network = None
        self.template = None
        self.groups = []
        self.process = None
        self.output = self.status = None
        self.listeners = []
        self.why = None
        self.boots = 0
        self.said_outcome = False
        self.gone = asyncio.Event()

    def path(self, name):
        return f"{self.directory}/{name}"

    def claim(self):
        """False if it was started before, or somebody has asked to end it, or it is not there at all."""
        if os.path.exists(self.path("ended")):
            return False
        try:
            os.close(os.open(self.path("started"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except (FileExistsError, FileNotFoundError):
            return False
        write_text(self.path("started"), read_text("/proc/sys/kernel/random/boot_id"))
        return True

    def start(self, lower, settings, heard):
        """Its process 1, in namespaces of its own. What it and cloud-init say of themselves is heard, line by line."""
        self.groups = limit(self.name, self.record)
        console, self.output = os.pipe()
        said, self.status = os.pipe()
        log = open(self.path("console.log"), "ab", buffering=0)
        follow(console, lambda text: keep_console(log, text), log.close)
        self.heard = heard
        self.hear(said)

        def join_groups():
            for group in self.groups:
                write_text(group, "0")

        self.process = subprocess.Popen(
            [
                "nsenter", f"--net=/proc/self/fd/{self.network}", "setpriv", BOUNDING_SET,
                "unshare", "--mount", "--uts", "--ipc", "--pid", "--cgroup", "--fork", "--kill-child",
                "sh", os.path.abspath("enter.sh"), ":".join(lower), settings["overlay"], self.record["name"], settings["node"],
            ],
            cwd=self.directory,
            env={"PATH": STANDARD_PATH, "LANG": "C.UTF-8", "container": "paceline"},
            stdin=self.status,
            stdout=self.output,
            stderr=self.output,
            pass_fds=[self.network],
            preexec_fn=join_groups if self.groups else None,
            start_new_session=True,
        )

    def hear(self, descriptor, ended=lambda: None):
        follow(descriptor, lambda text: [self.heard(self, line) for line in text.decode(errors="replace").splitlines()], ended)

    def listen(self):
        """Where cloud-init is to tell how it goes, and nobody else: that this is closed says that it has ended."""
        said, told = os.pipe()
        self.boots += 1
        boot = self.boots
        # Another one may have begun, for want of the first.
        self.hear(said, lambda: boot == self.boots and self.heard(self, None))
        return told

    def relay(self, address, port):
        """Lets the machine's own loopback address lead to the host's."""

        async def serve(reader, writer):
            try:
                there, back = await asyncio.open_connection(address, port)
            except OSError:
                writer.transport.abort()
                return
            await asyncio.gather(pump(reader, back), pump(there, writer))
            back.close()
            writer.close()

        listener = listen_in(self.network, address, port)
        server = asyncio.ensure_future(asyncio.start_server(serve, sock=listener))
        self.listeners.append((server, listener))

    def kill(self, why):
        self.why = self.why or why
        if self.process is None:
            return
        # Its process 1: the kernel ends all others before that is gone. Ours is the one that waits for it.
        pid = self.process.pid
        for child in read_text(f"/proc/{pid}/task/{pid}/children").split() or [pid]:
            send(int(child), signal.SIGKILL)

    def freeze(self):
        """Stops every process of it, also those that others start while we look."""
        ours = os.stat(f"/proc/{self.process.pid}/ns/pid_for_children")
        stopped = set()
        while fresh := [pid for pid in processes_in(ours) if pid not in stopped]:
            for pid in fresh:
                send(pid, signal.SIGSTOP)
                stopped.add(pid)
        return stopped

    def close_pipes(self):
        """Our copies of its ends; it has its own."""
        for descriptor in (self.output, self.status):
            if descriptor is not None:
                os.close(descriptor)
        self.output = self.status = None

    def close(self):
        self.close_pipes()
        for server, listener in self.listeners:
            server.add_done_callback(lambda made: made.cancelled() or made.exception() or made.result().close())
            listener.close()
        if self.network is not None:
            os.close(self.network)
            self.network = None


def send(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def processes_in(namespace):
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.path.samestat(os.stat(f"/proc/{name}/ns/pid"), namespace):
                yield int(name)
        except OSError:
            pass


def follow(descriptor, heard, ended=lambda: None):
    """Hands on what comes out of a pipe until it is closed everywhere."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)

    def read():
        text = os.read(descriptor, 65536)
        if text:
            heard(text)
        else:
            loop.remove_reader(descriptor)
            os.close(descriptor)
            ended()

    loop.add_reader(descriptor, read)


def keep_console(log, text):
    try:
        if log.tell() < CONSOLE_LIMIT:
            log.write(text[: CONSOLE_LIMIT - log.tell()])
    except OSError:
        # The disk is full, and what the machine has still to say is lost.
        pass


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()
`;
