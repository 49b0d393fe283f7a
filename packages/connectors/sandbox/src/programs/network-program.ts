/**
 * The part of the supervisor that makes networks: a switch for the run, and for each machine a network of its own on it.
 *
 * The supervisor itself stays in the network of the host, since as an ordinary user it could not come back. It holds the others by
 * their descriptors only: when it dies, whatever the cause, the kernel takes them away with all interfaces in them.
 */
export const networkProgram = String.raw`
import ctypes
import ipaddress
import os
import re
import socket
import subprocess
import sys
import threading

CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def in_thread(work):
    """A network namespace belongs to a thread: what is done in one that ends does not move the others."""
    box = {}

    def run():
        try:
            box["value"] = work()
        except Exception as error:
            box["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in box:
        raise box["error"]
    return box["value"]


def new_network():
    def make():
        check(libc.unshare(CLONE_NEWNET))
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    return in_thread(make)


def listen_in(network, address, port):
    """A listening socket stays in the network where it was made, whoever accepts from it."""

    def make():
        check(libc.setns(network, CLONE_NEWNET))
        listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
        listener.setblocking(False)
        return listener

    return in_thread(make)


def ip(network, *commands, others=()):
    """Runs commands of ip(8) in a network, or in the host's if it is None."""
    enter = [] if network is None else ["nsenter", f"--net=/proc/self/fd/{network}"]
    done = subprocess.run(
        [*enter, "ip", "-batch", "-"],
        input="\n".join(commands),
        text=True,
        capture_output=True,
        pass_fds=[fd for fd in (network, *others) if fd is not None],
    )
    if done.returncode != 0:
        raise RuntimeError(f"ip: {done.stderr.strip()}")


def routed_networks():
    """What the host reaches without its default route."""
    text = subprocess.run(["ip", "-4", "route", "show", "table", "all"], text=True, capture_output=True).stdout
    for line in text.splitlines():
        for word in line.split()[:2]:
            try:
                yield ipaddress.ip_network(word)
            except ValueError:
                pass


def own_addresses():
    text = subprocess.run(["ip", "-4", "-o", "address"], text=True, capture_output=True).stdout
    return sorted(set(re.findall(r" inet ([0-9.]+)", text)))


class Switch:
    """
    The network of a run. A privileged one takes its range by making an interface on the host that is named by it, which can be done once
    only; others are alone with theirs.
    """

    def __init__(self, settings, key):
        self.network = new_network()
        self.link = None
        self.plugged = 0
        self.open = settings["slirp"] is not None and os.access("/dev/net/tun", os.R_OK | os.W_OK)
        self.nft = settings["nft"]
        ip(self.network, "link set lo up", "link add br0 type bridge", "link set br0 up")
        ranges = list(ipaddress.ip_network(settings["pool"]).subnets(new_prefix=settings["prefix"]))
        if settings["privileged"]:
            self.range = self.uplink(ranges, int(key, 16))
        else:
            self.range = ranges[0]
        self.gateway = self.range[2] if self.open else self.range[1] if settings["privileged"] else None
        self.resolver = self.range[3] if self.open else None
        self.pool = settings["pool"]
        self.fault = self.raise_border()

    def uplink(self, ranges, start):
        taken = list(routed_networks())
        for number in range(len(ranges)):
            index = (start + number) % len(ranges)
            if any(ranges[index].overlaps(other) for other in taken):
                continue
            name = f"paceline-{index}"
            try:
                ip(None, f"link add {name} type veth peer name up0 netns /proc/self/fd/{self.network}", others=[self.network])
            except RuntimeError as error:
                if "File exists" in str(error):
                    continue
                raise
            self.link = name
            ip(None, f"addr add {ranges[index][1]}/{ranges[index].prefixlen} dev {name}", f"link set {name} up")
            ip(self.network, "link set up0 master br0 up")
            return ranges[index]
        raise RuntimeError("every network of the pool is in use on this host")

    def raise_border(self):
        """Why machines cannot be kept from others now. Where the kernel never can, there is no border, and the probe says so."""
        try:
            self.guard(self.pool)
        except (OSError, RuntimeError) as error:
            said = f"machines are not kept from this host and from other runs: {error}"
            if self.can_filter():
                return said
            self.nft = None
            print(said, file=sys.stderr, flush=True)
        return None

    def guard(self, pool):
        """
        What machines may call: each other and the world, but nothing of this host except the ports of their engine, and nothing of other
        runs. The host may call them. Where packets go out that is decided, in a network that is not theirs, so their root has no say in it.
        """
        if self.nft is None:
            return
        calls = "" if self.open else f"ip daddr {pool} drop; tcp dport @calls accept;"
        self.filter(f"""
            table bridge paceline {{
              set calls {{ type inet_service; }}
              set own {{ type ipv4_addr; elements = {{ {", ".join(own_addresses())} }}; }}
              chain host {{
                ether type arp accept
                ip daddr {self.range[1]} ip saddr {self.range} tcp flags & (syn | ack) != syn accept
                ip daddr {self.range[1]} ip saddr {self.range} icmp type {{ echo-reply, destination-unreachable, time-exceeded }} accept
                {calls}
                drop
              }}
              chain world {{
                ip daddr {self.range[3]} udp dport 53 accept; ip daddr {self.range[3]} tcp dport 53 accept
                ip daddr {{ {pool}, 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 }} drop
                ip daddr @own tcp dport @calls accept
                ip daddr @own drop
              }}
              chain forward {{
                type filter hook forward priority 0
                oifname "up0" jump host
                oifname "tap0" jump world
              }}
            }}
        """)

    def allow(self, ports):
        """Ports of its engine, on whatever address of this host."""
        if self.nft and ports:
            self.filter(f"add element bridge paceline calls {{ {', '.join(map(str, ports))} }}")

    def filter(self, rules):
        enter = ["nsenter", f"--net=/proc/self/fd/{self.network}"]
        done = subprocess.run([*enter, self.nft, "-f", "-"], input=rules, text=True, capture_output=True, pass_fds=[self.network])
        if done.returncode < 0:
            raise OSError(f"nft was ended by signal {-done.returncode}")
        if done.returncode != 0:
            raise RuntimeError(f"nft: {done.stderr.strip()}")

    def can_filter(self):
        """What fails for another reason than the kernel, such as for want of memory, says nothing of it: no machine is without a border then."""
        try:
            self.filter("table bridge trial { chain trial { type filter hook forward priority 0; tcp dport 1 drop; }; }")
        except RuntimeError as error:
            unknown = "(Operation|Protocol) not supported|Operation not permitted|Address family not supported|Invalid argument|No such file or directory"
            return re.search(f"(Could not process rule|cache initialization failed): ({unknown})", str(error)) is None
        except OSError:
            pass
        return True

    def unplug(self):
        """The kernel would do it too, but later."""
        if self.link:
            ip(None, f"link del {self.link}")

    def plug(self, slot):
        """A network for one machine, with an address on the switch."""
        self.fault = self.fault and self.raise_border()
        if self.fault:
            raise RuntimeError(self.fault)
        network = new_network()
        address = self.address(slot)
        self.plugged += 1
        port = f"m{self.plugged}"
        hardware = "02:00:%02x:%02x:%02x:%02x" % tuple(address.packed)
        ip(
            self.network,
            f"link add {port} type veth peer name eth0 address {hardware} netns /proc/self/fd/{network}",
            f"link set {port} master br0 up",
            others=[network],
        )
        ip(
            network,
            "link set lo up",
            f"addr add {address}/{self.range.prefixlen} broadcast + dev eth0",
            "link set eth0 up",
            *([f"route add default via {self.gateway}"] if self.gateway else []),
        )
        return network

    def address(self, slot):
        return self.range[10 + slot]

    def open_internet(self, slirp):
        """A user-space router as a further port of the switch: nothing of the host's own network is changed for it."""
        ready, said = os.pipe()
        process = subprocess.Popen(
            [
                slirp, "--netns-type=path", "--disable-host-loopback", "--mtu=1500", f"--cidr={self.range}",
                f"--ready-fd={said}", f"/proc/self/fd/{self.network}", "tap0",
            ],
            pass_fds=[said, self.network],
        )
        os.close(said)
        return process, ready
`;
