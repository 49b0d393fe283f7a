/** What is known of one step, so that no agent does it a second time. */
export interface StepRecord {
  status: 'running' | 'done' | 'failed' | 'stopped';
  /** Grows when the machine boots in the middle of the step. */
  attempt: number;
  boot: number;
  message?: string;
  /** The engine has confirmed that it knows. */
  told?: boolean;
}

export interface LogPiece {
  source: string;
  offset: number;
  bytes: number;
  text: string;
}

/** What survives on a machine, whatever crashes. */
export class Disk {
  /** From the user data. */
  readonly config: { run: string; instance: string; secret: string };
  key: string | undefined;
  joined = false;
  /** The work that `steps` are of. */
  seq = -1;
  steps = new Map<string, StepRecord>();
  /** How scripts have ended, by work, step and attempt. */
  readonly exits = new Map<string, ScriptExit>();
  /** What scripts have printed. */
  readonly output: LogPiece[] = [];
  /** Why the instance is over. */
  left: string | undefined;

  constructor(config: { run: string; instance: string; secret: string }) {
    this.config = config;
  }

  print(source: string, bytes: number): void {
    const offset = this.output
      .filter((piece) => piece.source === source)
      .reduce((end, piece) => Math.max(end, piece.offset + piece.bytes), 0);
    this.output.push({ source, offset, bytes, text: `${source} ${offset} `.padEnd(bytes, '.').slice(0, bytes) });
  }
}

export interface ScriptExit {
  status: 'done' | 'failed' | 'stopped';
  message?: string;
}
