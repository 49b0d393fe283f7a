/**
 * cloud-init, loaded once for all machines that stand on the same layers. For each of them the process is forked into the machine's
 * namespaces, where the copy runs the stages that systemd would start one by one. Most of the time and memory of a stage is its
 * loading: so a machine takes half the time of one process for all stages, a sixth of a process for each, and shares its memory.
 *
 * Usage: python3 cloud-init.py, in the root file system that the layers make, with the supervisor's socket as standard input. A request
 * has the descriptors of the machine: console, where to tell the outcome, control groups to join, namespaces to enter, these last
 * in the order of the request. Goes home when it has not been needed for some seconds.
 */
export const cloudInitProgram = String.raw`
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import random
import resource
import shutil
import socket
import subprocess
import sys

import cloudinit.config
import cloudinit.distros
import cloudinit.sources.DataSourceNoCloud
from cloudinit.cmd.main import main

STAGES = (["init", "--local"], ["init"], ["modules", "--mode=config"], ["modules", "--mode=final"])
IDLE_SECONDS = 5
libc = ctypes.CDLL(None, use_errno=True)


def load():
    """What the stages would load by name."""
    for folder in (cloudinit.config, cloudinit.distros):
        for module in pkgutil.iter_modules(folder.__path__, f"{folder.__name__}."):
            if folder is cloudinit.config or module.name.endswith((".debian", ".ubuntu", ".fedora", ".rhel")):
                try:
                    importlib.import_module(module.name)
                except Exception:
                    pass
    # Keeps the collector from writing to pages that are shared.
    gc.collect()
    gc.freeze()


def serve(control):
    control.settimeout(IDLE_SECONDS)
    while True:
        try:
            message, descriptors, _, _ = socket.recv_fds(control, 4096, 32)
        except socket.timeout:
            return
        if not message:
            return
        child = os.fork()
        if child == 0:
            try:
                enter(json.loads(message), descriptors, control)
            finally:
                os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            os.write(descriptors[1], b"booting\ncloud-init could not be brought into the machine; the log of the supervisor says why\n")
        for descriptor in descriptors:
            os.close(descriptor)


def enter(request, descriptors, control):
    console, told, *rest = descriptors
    control.close()
    for group in rest[: request["groups"]]:
        os.write(group, b"0")
    for space in rest[request["groups"] :]:
        if libc.setns(space, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    arrived, there = os.pipe()
    # Only a new process is in the process namespace. It may die on the way, such as for want of memory.
    if os.fork() != 0:
        os.close(there)
        os._exit(0 if os.read(arrived, 1) else 1)
    os.close(arrived)
    os.setsid()
    os.chdir("/")
    for descriptor, target in ((os.open("/dev/null", os.O_RDONLY), 0), (console, 1), (console, 2)):
        if descriptor != target:
            os.dup2(descriptor, target)
    for descriptor in (console, *rest):
        os.close(descriptor)
    os.set_inheritable(told, False)
    with os.fdopen(told, "w") as teller:
        print("booting", file=teller, flush=True)
        os.write(there, b".")
        os.close(there)
        print(boot() or "booted", file=teller, flush=True)
    os._exit(0)


def boot():
    """Returns what went wrong, if it keeps the machine from being of use."""
    random.seed()
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    os.environ.clear()
    os.environ.update(
        PATH="/run/paceline/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        HOME="/root",
        LANG="C.UTF-8",
    )
    if not shutil.which("node"):
        os.environ["PACELINE_NODE"] = "/run/paceline/node"
    try:
        for stage in STAGES:
            run(stage)
            if stage == ["init"]:
                start_sshd()
        with open("/run/cloud-init/result.json") as file:
            errors = json.load(file)["v1"]["errors"]
    except Exception as error:
        return f"cloud-init failed: {error}"
    # Other modules may fail for want of what this machine does not have, and it is as good as any.
    failed = [error for error in errors if "scripts-user" in error or "scripts_user" in error]
    return f"the user data failed: {failed[0]}" if failed else None


def run(stage):
    # A stage may send its output elsewhere, which is not for the next one.
    kept = [os.dup(1), os.dup(2)]
    try:
        main(["cloud-init", *stage])
    except SystemExit:
        pass
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, copy in zip((1, 2), kept):
            os.dup2(copy, descriptor)
            os.close(copy)


def start_sshd():
    if os.path.exists("/usr/sbin/sshd") and os.path.exists("/etc/ssh/ssh_host_ed25519_key"):
        os.makedirs("/run/sshd", exist_ok=True)
        subprocess.run(["/usr/sbin/sshd"])


load()
serve(socket.socket(fileno=0))
`;

/** Puts the process that loads cloud-init into the root file system that layers make: \`sh template.sh LAYERS OPTIONS ROOT\`. */
export const templateProgram = String.raw`#!/bin/sh
set -eu
layers=$1 options=$2 root=$3
programs=$(dirname "$0")
mount -t overlay overlay -o "lowerdir=$layers$options" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
cp "$programs/cloud-init.py" "$root/run"
exec chroot "$root" /bin/sh -c '
  cloud_init=$(command -v cloud-init) || { echo "there is no cloud-init in the image" >&2; exit 1; }
  # With the Python that it was installed for.
  exec $(sed -n "1s/^#! *//p" "$cloud_init") /run/cloud-init.py'
`;
