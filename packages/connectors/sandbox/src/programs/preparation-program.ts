/** The part of the supervisor that makes a root file system a machine's own: what it must not share, and what it must not see. */
export const preparationProgram = String.raw`
import hashlib
import json
import stat
import sys

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Sorted after whatever the image has.
CLOUD_CONFIG = """\
datasource_list: [NoCloud]
datasource: {NoCloud: {fs_label: null}}
network: {config: disabled}
apt: {preserve_sources_list: true}
growpart: {mode: 'off'}
resize_rootfs: false
manage_etc_hosts: false
preserve_hostname: false
locale: 'false'
ssh_genkeytypes: [ed25519]
ssh_quiet_keygen: true
ssh: {emit_keys_to_console: false}
no_ssh_fingerprints: true
grub_dpkg: {enabled: false}
"""


def read_text(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def read_json(path):
    with open(path) as file:
        return json.load(file)


def write_text(path, text):
    with open(path, "w") as file:
        file.write(text)


def mount_scratch():
    """Mount points, in the supervisor's mount namespace only."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "mnt"], check=True)
    for name in ("proc", "dev", "run"):
        os.makedirs(f"mnt/empty/{name}")


def host_layer():
    """
    The host's files as a file system of their own: an upper layer must not lie below its lower one, and machines do lie below /. Where /
    is an overlay itself another one can stand on it, but not two; and machines lie elsewhere then.
    """
    path = os.path.abspath("mnt/host")
    if not os.path.exists(path):
        os.mkdir(path)
        options = f"lowerdir=/:{os.path.abspath('mnt/empty')}"
        done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, path], capture_output=True)
        if done.returncode != 0:
            os.rmdir(path)
            return "/"
    return path


def lower_layers(record):
    return [*record["layers"], *([host_layer()] if record["host"] else [])]


class Upper:
    """The upper layer of a machine. What is written here hides what lower layers have."""

    def __init__(self, directory, lower, attribute):
        self.directory = directory
        self.lower = lower
        self.attribute = attribute
        self.emptied = []

    def below(self, path):
        """What the layers below show at this path."""
        if any(path.startswith(f"{empty}/") for empty in self.emptied):
            return None
        for layer in self.lower:
            try:
                return os.lstat(layer + path)
            except OSError:
                pass
        return None

    def place(self, path):
        """Where to write it. Directories above are as below."""
        for end in range(1, len(path)):
            if path[end] == "/":
                self.make(path[:end])
        return self.directory + path

    def make(self, path, mode=0o755):
        if not os.path.lexists(self.directory + path):
            known = self.below(path)
            os.mkdir(self.directory + path)
            if known is not None and stat.S_ISDIR(known.st_mode):
                os.chown(self.directory + path, known.st_uid, known.st_gid)
                mode = stat.S_IMODE(known.st_mode)
            os.chmod(self.directory + path, mode)

    def write(self, path, text, mode=0o644):
        write_text(self.place(path), text)
        os.chmod(self.directory + path, mode)

    def empty(self, path, mode=0o755):
        self.place(path)
        self.make(path, mode)
        os.setxattr(self.directory + path, self.attribute, b"y")
        self.emptied.append(path)

    def hide(self, path):
        known = self.below(path)
        if known is None:
            return
        if stat.S_ISDIR(known.st_mode):
            self.empty(path)
        else:
            os.mknod(self.place(path), stat.S_IFCHR, os.makedev(0, 0))


def prepare(directory, record, lower, switch, slot, settings):
    os.mkdir(f"{directory}/upper")
    os.mkdir(f"{directory}/work")
    os.mkdir(f"{directory}/root")
    upper = Upper(f"{directory}/upper", lower, settings["attribute"])
    name = record["name"]
    upper.empty("/tmp", 0o1777)
    if record["host"]:
        # An image of such a machine has the rest hidden already, and may have put something in its place.
        if not record["layers"]:
            hide_host(upper, record["hide"])
        hide_keys(upper)
    for path in ("/proc", "/sys", "/dev", "/run"):
        upper.make(path)
    upper.write("/etc/hostname", f"{name}\n")
    upper.write("/etc/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{switch.address(slot)} {name}\n")
    upper.write("/etc/machine-id", hashlib.sha256(record["id"].encode()).hexdigest()[:32] + "\n", 0o444)
    upper.write("/etc/resolv.conf", f"nameserver {switch.resolver}\n" if switch.resolver else "")
    upper.write("/etc/fstab", "")
    upper.write("/etc/cloud/cloud.cfg.d/zz-paceline.cfg", CLOUD_CONFIG)
    upper.empty("/var/lib/cloud")
    seed = "/var/lib/cloud/seed/nocloud"
    identity = {"instance-id": record["id"], "local-hostname": name, "dsmode": "local"}
    upper.write(f"{seed}/meta-data", json.dumps(identity) + "\n")
    with open(f"{directory}/user-data", "rb") as source, open(upper.place(f"{seed}/user-data"), "wb") as target:
        target.write(source.read())
    os.chmod(upper.directory + seed, 0o700)


def hide_host(upper, hidden):
    upper.empty("/var/tmp", 0o1777)
    for path in sorted(os.path.realpath(path) for path in hidden):
        if path != "/":
            upper.hide(path)
    # Programs expect the directories of their logs, and that they may write there.
    for entry in os.scandir("/var/log"):
        if entry.is_dir(follow_symlinks=False):
            upper.place(f"/var/log/{entry.name}/any")
    upper.empty("/var/log")
    for path, source, rest in (("/etc/shadow", "/etc/passwd", ":*:19000:0:99999:7:::"), ("/etc/gshadow", "/etc/group", ":*::")):
        names = [line.split(":")[0] for line in read_text(source).splitlines()]
        upper.write(path, "".join(f"{name}{rest}\n" for name in names), 0o600)


def hide_keys(upper):
    for key in os.listdir("/etc/ssh") if os.path.isdir("/etc/ssh") else []:
        if key.startswith("ssh_host_"):
            upper.hide(f"/etc/ssh/{key}")


# Limits

def limit(name, record):
    """Files by which processes join the control groups that have the machine's limits; none where these cannot be had."""
    limits = record["limits"]
    if not limits:
        return []
    try:
        return unified_group(name, limits) if os.path.exists("/sys/fs/cgroup/cgroup.controllers") else separate_groups(name, limits)
    except OSError as error:
        print(f"{name} has no limits: {error}", file=sys.stderr, flush=True)
        return []


def unified_group(name, limits):
    parent = "/sys/fs/cgroup/paceline"
    os.makedirs(f"{parent}/{name}", exist_ok=True)
    for above in ("/sys/fs/cgroup", parent):
        write_text(f"{above}/cgroup.subtree_control", "+cpu +memory")
    if "memoryMiB" in limits:
        write_text(f"{parent}/{name}/memory.max", str(limits["memoryMiB"] * 1024 * 1024))
    if "cpus" in limits:
        write_text(f"{parent}/{name}/cpu.max", f"{int(limits['cpus'] * 100000)} 100000")
    return [f"{parent}/{name}/cgroup.procs"]


def want_of_memory(name, record):
    """That its limit is what processes of a machine died of, as words to go on with."""
    for group in (f"/sys/fs/cgroup/paceline/{name}/memory.events", f"/sys/fs/cgroup/memory/paceline/{name}/memory.oom_control"):
        try:
            killed = dict(line.split() for line in read_text(group).splitlines()).get("oom_kill", "0")
        except OSError:
            continue
        if killed != "0":
            return f": it needs more memory than the {record['limits']['memoryMiB']} MiB that the machine has"
    return ", which happens when a host is out of memory"


def separate_groups(name, limits):
    groups = []
    for controller, key, file, factor in (
        ("memory", "memoryMiB", "memory.limit_in_bytes", 1024 * 1024),
        ("cpu", "cpus", "cpu.cfs_quota_us", 100000),
    ):
        if key in limits:
            group = f"/sys/fs/cgroup/{controller}/paceline/{name}"
            os.makedirs(group, exist_ok=True)
            write_text(f"{group}/{file}", str(int(limits[key] * factor)))
            groups.append(f"{group}/cgroup.procs")
    return groups
`;
