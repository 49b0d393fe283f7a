import { readFile } from 'node:fs/promises';
import type { ConnectorContext, Machine } from '@paceline/engine/connector';
import { openSession, shownHostKey, turns } from '@paceline/engine/ssh';
import type { SshSettings } from './config.ts';
import type { Letter, Letters } from './letters.ts';

const atOnce = 8;
/** How long one attempt may take, in milliseconds. */
const attemptMs = 60_000;
/** A log-in that becomes root, and reads what it shall do from its input. */
const shell = 'if [ "$(id -u)" = 0 ]; then exec sh; else exec sudo -n sh; fi';

/**
 * Brings user data to machines by SSH. Whenever machines are looked at, those that run and have a letter are tried; a machine that does not
 * answer yet is tried again when the engine looks again. A machine begins once, however often a letter reaches it.
 */
export class Delivery {
  readonly #letters: Letters;
  readonly #settings: SshSettings;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #said = new Map<string, string>();
  readonly #closing = new AbortController();
  readonly #inTurn = turns(atOnce);

  constructor(letters: Letters, settings: SshSettings) {
    this.#letters = letters;
    this.#settings = settings;
  }

  /** Begins what is due and does not wait for it. */
  attend(machines: Iterable<Machine>, { log }: Pick<ConnectorContext, 'log'>): void {
    for (const machine of machines) {
      const address = machine.publicIps[0] ?? machine.privateIps[0];
      if (machine.state !== 'running' || address === undefined || this.#underWay.has(machine.id)) continue;
      const work = this.#inTurn(() => this.#attempt(machine, address))
        .catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          // The same every two seconds is no news.
          if (this.#said.get(machine.id) !== why) log.info(`${machine.name} at ${address} has not begun yet: ${why}`);
          this.#said.set(machine.id, why);
        })
        .finally(() => this.#underWay.delete(machine.id));
      this.#underWay.set(machine.id, work);
    }
  }

  /** Nobody waits for these machines any more. */
  async drop(ids: readonly string[]): Promise<void> {
    for (const id of ids) this.#said.delete(id);
    await this.#letters.drop(ids);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#underWay.values());
  }

  async #attempt({ id, login }: Machine, host: string): Promise<void> {
    const letter = await this.#letters.to(id);
    if (letter === undefined) return;
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(attemptMs)]);
    const { port, identity, user, hostKeys } = this.#settings;
    const known = hostKeys === 'any' ? [await shownHostKey(host, port, signal)] : hostKeys;
    const credential = { privateKey: await readFile(identity, 'utf8') };
    const session = await openSession({ host, port, user: login ?? user, hostKeys: known, credential }, signal);
    try {
      const { code, stdout, stderr } = await session.run(shell, { input: beginning(letter), signal });
      if (code !== 0 || !stdout.includes('begun')) throw new Error(stderr.trim().split('\n').at(-1) ?? `exit code ${code}`);
    } finally {
      session.end();
    }
    await this.drop([id]);
  }
}

/** The shell carries out nothing of it before it has read all of it; and of two that bring it, one makes the directory. */
function beginning({ key, userData }: Letter): string {
  return `begin() {
  umask 077
  trap '' HUP
  base=/var/lib/paceline-begin
  mkdir -p "$base" || exit 1
  if [ ! -d "$base/${key}" ]; then
    new=$base/new.$$
    printf %s '${Buffer.from(userData).toString('base64')}' | base64 -d >"$new" && chmod 700 "$new" || exit 1
    if mkdir "$base/${key}" 2>/dev/null; then
      mv "$new" "$base/${key}/user-data" || exit 1
      run=nohup
      ! command -v setsid >/dev/null || run=setsid
      $run "$base/${key}/user-data" </dev/null >"$base/${key}/log" 2>&1 &
    else
      rm -f "$new"
    fi
  fi
  [ -d "$base/${key}" ] && echo begun
}
begin
`;
}
