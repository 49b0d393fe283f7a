import type { Machine } from '@paceline/engine/connector';

/** What can be seen of a machine from outside. */
export interface Evidence {
  /** Somebody has asked to terminate it. */
  ended: boolean;
  /** The boot of the host in which it was started. */
  started?: string;
  /** It was started so recently that its process may not be there yet. */
  fresh: boolean;
  alive: boolean;
  /** What its emulator says that it does, where that answers. */
  status?: string | undefined;
  /** The exit status of its emulator, once that has ended by itself. */
  exit?: number;
  /** What the emulator complained of last. */
  complaint: string;
  /** The end of the console. */
  console: string;
  /** The present boot of the host. */
  boot: string;
}

/** Of `timeout`, when the time is over. */
const timeOver = 124;

type Said = Pick<Machine, 'state' | 'fault' | 'noRoom'>;

/** What a cloud would say of such a machine. */
export function machineState({ ended, started, fresh, alive, status, exit, complaint, console, boot }: Evidence): Said {
  if (ended) {
    return { state: alive ? 'stopping' : 'stopped' };
  }
  if (started === undefined) {
    return { state: 'pending' };
  }
  if (alive) {
    // QEMU stops a machine that writes to a full disk, and says so to nobody who does not ask.
    if (status === 'io-error') {
      return { state: 'error', fault: 'the disk of this host is full: the machine was stopped as it wrote to its own', noRoom: true };
    }
    const panic = lastPanic(console);
    return panic === undefined ? { state: 'running' } : { state: 'error', fault: panic };
  }
  if (exit === 0) {
    return { state: 'stopped', fault: 'it was switched off from inside' };
  }
  if (exit === timeOver) {
    return { state: 'stopped', fault: 'its end of life' };
  }
  if (exit !== undefined) {
    return { state: 'error', fault: complaint === '' ? `QEMU ended with status ${exit}` : complaint };
  }
  if (fresh) {
    return { state: 'pending' };
  }
  return { state: 'stopped', fault: started === boot ? 'its process was killed' : 'the host was restarted' };
}

/** The kernel's last words, unless another boot came after them. */
function lastPanic(console: string): string | undefined {
  const at = console.lastIndexOf('Kernel panic - not syncing');
  if (at === -1 || /Linux version \d/.test(console.slice(at))) {
    return undefined;
  }
  return console.slice(at).split(/\r?\n/)[0]?.trim();
}
