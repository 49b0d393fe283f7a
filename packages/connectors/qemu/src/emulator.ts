import type { Accelerator } from './accelerator.ts';
import { emulator } from './command.ts';
import type { MachineRecord } from './machine-record.ts';
import { groupOf, hardwareAddress } from './network.ts';
import { sshForward } from './way-in.ts';

/** Where disks are attached to a machine that runs. */
export const diskController = 'disks';

/** The command that is a machine, to be run in its directory. Its console is the standard output. */
export function emulatorCommand(record: MachineRecord, accelerator: Accelerator): string[] {
  const { id, boot, cpus, memoryMiB, owner } = record;
  const card = (device: 'world' | 'run', number: 0 | 1): string[] => [
    '-device',
    `virtio-net-pci,netdev=${device},mac=${hardwareAddress(id, number)},romfile=`,
  ];
  return [
    emulator,
    ...['-name', id],
    ...['-machine', 'q35', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...(accelerator === 'kvm' ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi,tb-size=256', '-cpu', 'max']),
    ...['-smp', String(cpus), '-m', String(memoryMiB)],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
    // What is on it is worth nothing after a crash of the host.
    ...['-drive', 'if=none,id=disk,file=disk.qcow2,format=qcow2,cache=unsafe,discard=unmap', '-device', 'virtio-blk-pci,drive=disk'],
    // The folder as a disk of cloud-init's data source NoCloud.
    ...['-drive', 'if=none,id=seed,driver=vvfat,dir=seed,label=CIDATA,read-only=on', '-device', 'virtio-blk-pci,drive=seed'],
    ...['-device', `virtio-scsi-pci,id=${diskController}`],
    ...['-netdev', `user,id=world,${sshForward}`, ...card('world', 0)],
    ...['-netdev', `socket,id=run,mcast=${groupOf(owner)},localaddr=127.0.0.1`, ...card('run', 1)],
    ...['-device', 'virtio-rng-pci', '-qmp', 'unix:control,server=on,wait=off'],
    ...(boot.kernel === undefined ? [] : ['-kernel', boot.kernel]),
    ...(boot.initrd === undefined ? [] : ['-initrd', boot.initrd]),
    // Machines of one image would all have its id.
    ...(boot.kernel === undefined
      ? []
      : ['-append', `${boot.append ?? 'console=ttyS0'} systemd.machine_id=${id.replace(/^qemu-|-/g, '')}`]),
  ];
}

/**
 * Runs that command until its end of life, and keeps the first 16 MiB of its console. `run.sh SECONDS COMMAND…`; it is a shell that writes down
 * how it went, since the engine may be gone by then.
 */
export const runProgram = String.raw`#!/bin/sh
life=$1
shift
{
  timeout --kill-after=10 "$life" "$@" </dev/null 2>>qemu.log
  echo $? >exit.new
  mv exit.new exit
} | {
  stdbuf -o0 head -c 16777216 >>console.log
  cat >/dev/null
}
`;
