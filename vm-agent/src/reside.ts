import { type FSWatcher, readFileSync, readdirSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from './clock.ts';
import { ConfigError, readConfig } from './config.ts';
import { Instance } from './instance.ts';
import { isAlive } from './runner/machine.ts';
import { tried } from './tried.ts';

export interface ResideOptions {
  folder: string;
  /** Seconds without an instance after which the resident goes. */
  idleExit: number | undefined;
  clock: Clock;
  node: string;
  bundle: string;
  log: (line: string) => void;
}

/** Only one process may serve a folder. */
const lock = 'resident.pid';

/** Serves every instance whose config lies in one folder, in one process. */
export class Resident {
  readonly #options: ResideOptions;
  /** By file name; undefined once it is over, so that it is not taken again. */
  readonly #instances = new Map<string, Instance | undefined>();
  readonly #ending = new Set<Promise<void>>();
  #watcher: FSWatcher | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #idleSince: number;
  #end!: () => void;
  readonly #ended = new Promise<void>((resolve) => (this.#end = resolve));

  constructor(options: ResideOptions) {
    this.#options = options;
    this.#idleSince = options.clock.now();
  }

  /** @returns false when another resident serves the folder already */
  async run(): Promise<boolean> {
    const { folder, log } = this.#options;
    if (!this.#lock()) return false;
    try {
      this.#watcher = watch(folder, () => this.#scan());
      this.#watcher.on('error', (error) => log(`Cannot watch ${folder}: ${error.message}`));
    } catch (error) {
      log(`Cannot watch ${folder}: ${(error as Error).message}`);
    }
    this.#timer = setInterval(() => {
      this.#scan();
      this.#leaveIfIdle();
    }, 500);
    this.#scan();
    await this.#ended;
    return true;
  }

  /** Go, and leave all scripts to the next resident. */
  async detach(): Promise<void> {
    this.#stopWatching();
    for (const instance of this.#instances.values()) instance?.detach();
    await Promise.all(this.#ending);
    this.#unlock();
    this.#end();
  }

  #scan(): void {
    const names = (tried(() => readdirSync(this.#options.folder)) ?? []).filter((name) => name.endsWith('.json'));
    for (const name of names) if (!this.#instances.has(name)) this.#take(name);
    for (const [name, instance] of this.#instances) {
      if (names.includes(name)) continue;
      if (instance) instance.leave('its config was removed');
      // One that is still being killed is forgotten when that is done.
      else this.#instances.delete(name);
    }
  }

  #take(name: string): void {
    const { folder, clock, node, bundle, log } = this.#options;
    const configFile = join(folder, name);
    this.#instances.set(name, undefined);
    let instance: Instance;
    try {
      instance = new Instance({ config: readConfig(configFile), configFile, clock, node, bundle });
    } catch (error) {
      log(error instanceof ConfigError ? error.message : `${configFile}: ${(error as Error).stack}`);
      return;
    }
    this.#instances.set(name, instance);
    const ending = instance.run().then(
      ({ how, reason }) => {
        if (how === 'refused' || how === 'revoked') log(`${name}: ${how}: ${reason}`);
      },
      (error: unknown) => log(`${name}: ${(error as Error).stack}`),
    );
    const over = ending.then(() => {
      this.#instances.set(name, undefined);
      this.#ending.delete(over);
      this.#idleSince = clock.now();
    });
    this.#ending.add(over);
  }

  #leaveIfIdle(): void {
    const { idleExit, clock } = this.#options;
    if (idleExit === undefined || this.#ending.size > 0 || clock.now() - this.#idleSince < idleExit * 1000) return;
    this.#stopWatching();
    this.#unlock();
    // A config that came just now found a resident that was about to go.
    this.#scan();
    if (this.#ending.size === 0) return this.#end();
    void this.run().then((served) => {
      if (!served) void this.detach();
    });
  }

  #stopWatching(): void {
    this.#watcher?.close();
    clearInterval(this.#timer);
  }

  #lock(): boolean {
    const file = join(this.#options.folder, lock);
    for (;;) {
      try {
        writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const pid = Number.parseInt(tried(() => readFileSync(file, 'utf8')) ?? '', 10);
      if (pid === process.pid) return true;
      if (pid > 0 && isAlive(pid, 'reside')) return false;
      rmSync(file, { force: true });
    }
  }

  #unlock(): void {
    rmSync(join(this.#options.folder, lock), { force: true });
  }
}
