/** The part of the supervisor that has the processes which load cloud-init, and tells them which machine to boot. */
export const bootProgram = String.raw`
BOUNDING_SET = "--bounding-set=-sys_module,-sys_rawio,-sys_time,-mknod"
NAMESPACES = ("cgroup", "ipc", "uts", "net", "pid_for_children", "mnt")


class Template:
    """Boots the machines that stand on the same layers, one after the other: each is through when its copy of the process runs."""

    made = 0

    def __init__(self, lower, overlay):
        self.lower = lower
        self.machines = []
        self.code = None
        Template.made += 1
        root = os.path.abspath(f"mnt/template-{Template.made}")
        os.mkdir(root)
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        layers = ":".join([*lower, os.path.abspath("mnt/empty")])
        self.process = subprocess.Popen(
            ["setpriv", BOUNDING_SET, "unshare", "--mount", "sh", os.path.abspath("template.sh"), layers, overlay, root],
            env={"PATH": STANDARD_PATH, "LANG": "C.UTF-8", "container": "paceline"},
            stdin=theirs,
        )
        theirs.close()

    def boot(self, machine):
        self.machines.append(machine)
        if len(self.machines) == 1:
            self.send()

    def through(self, machine):
        if machine in self.machines:
            first = self.machines[0] is machine
            self.machines.remove(machine)
            if first:
                self.send()

    def send(self):
        if not self.machines:
            return
        machine = self.machines[0]
        opened = [os.open(group, os.O_WRONLY) for group in machine.groups]
        told = machine.listen()
        try:
            for name in NAMESPACES:
                opened.append(os.open(f"/proc/{machine.process.pid}/ns/{name}", os.O_RDONLY))
            request = json.dumps({"groups": len(machine.groups)}).encode()
            socket.send_fds(self.control, [request], [machine.output, told, *opened])
        except OSError:
            # One of the two has just ended, which will be noticed.
            pass
        finally:
            for descriptor in (told, *opened):
                os.close(descriptor)
`;
