import { bootProgram } from './boot-program.ts';
import { machineProgram } from './machine-program.ts';
import { networkProgram } from './network-program.ts';
import { preparationProgram } from './preparation-program.ts';

/**
 * The supervisor of one run: makes the machines, relays their calls to the engine, ends them at their end of life. It outlives the
 * engine, and everything that it makes ends with it: it is process 1 of a process namespace, holds the networks by their descriptors, and
 * the mounts are in its own mount namespace. So there is no moment at which it could be killed and leave something running.
 *
 * In Python because it has to enter namespaces, and because cloud-init needs Python anyway.
 *
 * Usage: python3 supervise.py SETTINGS, in the directory of the run.
 *
 * **Alive is who answers on the socket** `control`: no process id, no time of boot has to be compared. Requests are one line of JSON
 * each, and so are answers, with the ids of those that live then:
 *
 * - `{"start": [id]}` starts machines that are written down in `machines/ID/machine.json` and were never started; answers when they
 *   have their addresses
 * - `{"end": [id]}` ends machines; answers when their last process is gone, and if they were the last machines, hangs up when it is
 *   gone itself
 * - `{"freeze": id}` stops a machine's processes, answers, and lets them go on when the other side hangs up
 * - `{"alive": true}` only answers
 *
 * It goes home with the last machine that is ended on request, and when it has had none for a second.
 */
export const supervisorProgram = `${networkProgram}${preparationProgram}${bootProgram}${machineProgram}${String.raw`
import fcntl
import json
import resource
import sys
import time

IDLE_SECONDS = 1
GRACE_SECONDS = 1


class Supervisor:
    def __init__(self, settings, key):
        self.settings = settings
        self.machines = {}
        self.templates = {}
        self.busy_at = time.monotonic()
        self.changed = asyncio.Event()
        self.requests = 0
        self.held = []
        self.leaving = False
        self.gone = False
        self.switch = Switch(settings, key)
        mount_scratch()

    # The beginning of machines

    async def start(self, names):
        for name in names:
            if name in self.machines:
                continue
            try:
                machine = Machine(name)
            except FileNotFoundError:
                continue
            if not machine.claim():
                continue
            self.machines[name] = machine
            note(f"{name} starts")
            try:
                self.make(machine)
            except Exception as error:
                self.bury(machine, f"it could not be started: {error}", failed=True)
            await asyncio.sleep(0)

    def make(self, machine):
        lower = lower_layers(machine.record)
        machine.template = self.template(lower)
        machine.slot = self.free_slot()
        machine.network = self.switch.plug(machine.slot)
        write_text(machine.path("address"), str(self.switch.address(machine.slot)))
        prepare(machine.directory, machine.record, lower, self.switch, machine.slot, self.settings)
        self.switch.allow(machine.record.get("calls", []))
        for relay in machine.record["relays"]:
            machine.relay(relay["address"], relay["port"])
        machine.start(lower, self.settings, self.heard)

    def free_slot(self):
        taken = {machine.slot for machine in self.machines.values()}
        written = {read_text(f"machines/{name}/address") for name in os.listdir("machines")}
        slot = 0
        while slot in taken or str(self.switch.address(slot)) in written:
            slot += 1
        return slot

    def template(self, lower):
        """Of all machines that stand on these layers."""
        template = self.templates.get(tuple(lower))
        if template is None:
            template = self.templates[tuple(lower)] = Template(lower, self.settings["overlay"])
        return template

    def run_cloud_init(self, machine):
        """By its template, or by another one if that has gone home meanwhile."""
        if machine.template.code == 0:
            machine.template = self.template(machine.template.lower)
        if machine.template.code is None:
            machine.template.boot(machine)
        else:
            testify(machine.path("fault"), "cloud-init cannot be loaded from its image; the log of the supervisor says why")

    def heard(self, machine, line):
        """From its process 1 that it is there, then from cloud-init that it runs, and at the end that it is through, or what went wrong."""
        if line is None:
            # Most die with their machine, and that is seen in a moment.
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.silenced, machine)
        elif line == "booted":
            machine.said_outcome = True
        elif line == "ready":
            self.run_cloud_init(machine)
        elif line == "booting":
            machine.template.through(machine)
            machine.close_pipes()
        elif line:
            machine.said_outcome = True
            testify(machine.path("fault"), line)

    def silenced(self, machine):
        """Cloud-init has ended without a word in a machine that goes on."""
        if machine.said_outcome or self.machines.get(machine.name) is not machine or machine.why is not None:
            return
        testify(machine.path("fault"), f"cloud-init was killed{want_of_memory(machine.name, machine.record)}")

    # Their end

    async def end(self, names, why):
        ending = [self.machines[name] for name in names if name in self.machines]
        for machine in ending:
            machine.kill(why)
        for machine in ending:
            await machine.gone.wait()

    async def freeze(self, machine, reader, writer):
        stopped = machine.freeze() if machine and machine.process else []
        writer.write(b"{}\n")
        await reader.read()
        for pid in stopped:
            send(pid, signal.SIGCONT)

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            for template in list(self.templates.values()):
                if template.process.pid == pid:
                    template.process.returncode = code
                    self.lost_template(template, code)
            for machine in list(self.machines.values()):
                if machine.process is not None and machine.process.pid == pid:
                    machine.process.returncode = code
                    failed = machine.why is None and code not in (0, -signal.SIGINT, -signal.SIGHUP)
                    why = f"it ended with status {code}" if failed else machine.why or "it was switched off from inside"
                    self.bury(machine, why, failed)

    def lost_template(self, template, code):
        template.code = code
        del self.templates[tuple(template.lower)]
        for machine in template.machines:
            self.run_cloud_init(machine)

    def bury(self, machine, why, failed):
        del self.machines[machine.name]
        machine.close()
        if machine.template is not None:
            machine.template.through(machine)
        if os.path.isdir(machine.directory):
            testify(machine.path("exit"), json.dumps({"why": why, "failed": failed}))
        note(f"{machine.name}: {why}")
        self.notice()
        machine.gone.set()

    # Its own life

    def notice(self):
        self.busy_at = time.monotonic()
        self.changed.set()

    def idle(self):
        return self.leaving or time.monotonic() > self.busy_at + IDLE_SECONDS

    async def answer(self, reader, writer):
        self.requests += 1
        try:
            request = json.loads(await reader.readline())
            if self.gone:
                return
            if "freeze" in request:
                await self.freeze(self.machines.get(request["freeze"]), reader, writer)
            await self.start(request.get("start", []))
            await self.end(request.get("end", []), "it was terminated")
            reply = {"alive": list(self.machines)}
            self.leaving = not self.machines and ("end" in request or self.leaving)
        except Exception as error:
            reply = {"error": str(error)}
        try:
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
            if self.leaving:
                self.held.append(writer)
            else:
                writer.close()
        except OSError:
            pass
        self.requests -= 1
        self.notice()

    async def live(self):
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGCHLD, self.reap)
        loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(self.end(list(self.machines), "its supervisor was ended")))
        if self.switch.open:
            self.open_internet()
        remove("control")
        note(f"supervises, with the network {self.switch.range}")
        server = await asyncio.start_unix_server(self.answer, "control")
        while self.machines or self.requests or not self.idle():
            now = time.time()
            await self.end([machine.name for machine in self.machines.values() if machine.expires <= now], "its end of life")
            while self.machines and self.held:
                self.held.pop().close()
            nearest = min((machine.expires for machine in self.machines.values()), default=now + IDLE_SECONDS)
            self.changed.clear()
            try:
                # The clock of the loop stands still while a laptop is suspended.
                await asyncio.wait_for(self.changed.wait(), min(max(nearest - now, 0.01), 30))
            except asyncio.TimeoutError:
                pass
        note("goes home")
        # Who has just come gets no answer, and asks the next one.
        self.gone = True
        server.close()
        remove("control")
        self.switch.unplug()

    def open_internet(self):
        self.slirp, ready = self.switch.open_internet(self.settings["slirp"])
        follow(ready, lambda _: ip(self.switch.network, "link set tap0 master br0 up"))


def remove(path):
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def testify(path, text):
    """On a full disk the file stays empty, which says as much; what has to be done besides is done all the same."""
    try:
        write_text(path, text)
    except OSError as error:
        note(f"{path} is not written: {error}")


def note(text):
    try:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)
    except OSError:
        pass


async def supervise():
    await Supervisor(json.loads(sys.argv[1]), os.path.basename(os.getcwd())).live()


def main():
    os.umask(0o022)
    # Some descriptors for each machine and each connection; what it starts gets the usual limit again.
    resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
    lock = os.open("lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    asyncio.run(supervise())


main()
`}`;
