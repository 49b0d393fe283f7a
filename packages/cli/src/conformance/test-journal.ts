import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beganAt, isAlive } from '@paceline/door';
import * as z from 'zod';

const entrySchema = z.object({
  engine: z.string(),
  cloud: z.string(),
  account: z.string().optional(),
  pid: z.int().positive(),
  /** When that process began: its number may be another's by now. */
  began: z.string().optional(),
});
/** The engine that a check's machines go by. */
export type JournalEntry = z.infer<typeof entrySchema>;

/**
 * What tests of connectors may have on clouds. It is written down before a cloud hears of it, and taken away when nothing of it is there any
 * more: what a test has left that was killed is found by the next one.
 */
export class TestJournal {
  readonly #folder: string;

  /** @param state the state directory */
  constructor(state: string) {
    this.#folder = join(state, 'connector-tests');
  }

  begin(entry: Omit<JournalEntry, 'pid' | 'began'>): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(this.#pathOf(entry.engine), JSON.stringify({ ...entry, pid: process.pid, began: beganAt(process.pid) }), {
      mode: 0o600,
      flush: true,
    });
  }

  end(engine: string): void {
    rmSync(this.#pathOf(engine), { force: true });
  }

  /** What tests may have left on a cloud that do not run any more, this one included. */
  left(cloud: string): JournalEntry[] {
    return this.#read().filter((entry) => entry.cloud === cloud && (entry.pid === process.pid || !isRunning(entry)));
  }

  #read(): JournalEntry[] {
    return namesIn(this.#folder).flatMap((name) => {
      try {
        return [entrySchema.parse(JSON.parse(readFileSync(join(this.#folder, name), 'utf8')))];
      } catch {
        // It was cut off before the cloud had heard of anything, or has been taken away meanwhile.
        return [];
      }
    });
  }

  #pathOf(engine: string): string {
    return join(this.#folder, `${engine}.json`);
  }
}

function isRunning({ pid, began }: JournalEntry): boolean {
  return isAlive(pid) && (began === undefined || beganAt(pid) === began);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
