import { PacelineError } from '@paceline/model';
import { isConnectorError, type ConnectorContext, type WayIn } from '../connector/index.ts';
import type { EngineOptions } from '../engine/engine-options.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { hostKeysOf } from '../tunnel/tunnel-keys.ts';
import type { CallFrame } from './call-limit.ts';
import type { CloudLine } from './cloud-line.ts';
import { givesTunnelKeys } from './clouds.ts';

type Options = Pick<EngineOptions, 'clouds' | 'key'>;

const sshPort = 22;

/** What people do with single machines: look at their consoles, and go in. */
export class MachineAccess {
  readonly #options: Options;
  readonly #frame: CallFrame;
  readonly #run: (id: string) => Promise<Run>;

  constructor(options: Options, frame: CallFrame, run: (id: string) => Promise<Run>) {
    this.#options = options;
    this.#frame = frame;
    this.#run = run;
  }

  /**
   * What a machine wrote to its console, from the byte `since` on.
   * @throws PACELINE_NOT_FOUND, PACELINE_CONFLICT when there is no machine now or its cloud has no consoles, PACELINE_CLOUD_FAILED
   */
  async console(run: string, name: string, since: number): Promise<{ text: string; next: number }> {
    const { line, id } = await this.#machine(run, name);
    const { connector } = line;
    if (connector.consoleLog === undefined) {
      throw new PacelineError('PACELINE_CONFLICT', `The cloud of ${name} does not show consoles`);
    }
    return this.#ask(name, 'consoleLog', line, (context) => connector.consoleLog?.(id, since, context) ?? { text: '', next: since });
  }

  /** How to get a shell on a machine. @throws as `console` */
  async wayIn(runId: string, name: string): Promise<WayIn> {
    const { line, id, instance } = await this.#machine(runId, name);
    const { connector } = line;
    if (connector.wayIn !== undefined) {
      return this.#ask(name, 'describe', line, async (context) => {
        const found = await connector.wayIn?.(id, context);
        if (found === undefined) throw notNow(name, 'nobody can go in');
        return found;
      });
    }
    const { address, login, cloud } = instance.machine;
    const usual = address === null ? undefined : { host: address, port: sshPort, hostKeys: [] };
    const place =
      connector.sshAddress === undefined
        ? usual
        : await this.#ask(name, 'describe', line, async (context) => connector.sshAddress?.(id, context));
    if (place === undefined) throw notNow(name, 'it has no address yet');
    // A machine behind a tunnel has got the key of its server from us.
    const isOurs = givesTunnelKeys(this.#options.clouds.get(cloud));
    const hostKeys = isOurs ? hostKeysOf(this.#options.key, runId, instance) : place.hostKeys;
    return { kind: 'ssh', host: place.host, port: place.port, user: login ?? 'root', hostKeys };
  }

  async #machine(runId: string, name: string): Promise<{ line: CloudLine; id: string; instance: Instance }> {
    const { instances } = await this.#run(runId);
    const instance = instances.get(name);
    if (instance === undefined) {
      throw new PacelineError('PACELINE_NOT_FOUND', `The run has no instance ${name}`, {
        hint: `It has: ${[...instances.keys()].slice(0, 20).join(', ')}.`,
      });
    }
    const { id, cloud, status } = instance.machine;
    if (id === null || status === 'gone') throw notNow(name, status === 'gone' ? 'it is gone' : 'it is not there yet');
    return { line: this.#options.clouds.line(cloud), id, instance };
  }

  async #ask<T>(
    name: string,
    kind: 'describe' | 'consoleLog',
    line: CloudLine,
    call: (context: ConnectorContext) => Promise<T> | T,
  ): Promise<T> {
    try {
      return await line.call(this.#frame, kind, async (context) => call(context));
    } catch (cause) {
      if (!isConnectorError(cause)) throw cause;
      if (cause.code === 'notFound') throw notNow(name, cause.message);
      throw new PacelineError('PACELINE_CLOUD_FAILED', `${name}: ${line.connector.info.name} says: ${cause.message}`, {
        cause,
        ...(cause.details.hint === undefined ? {} : { hint: cause.details.hint }),
      });
    }
  }
}

function notNow(name: string, why: string): PacelineError {
  return new PacelineError('PACELINE_CONFLICT', `There is no machine of ${name} to look at: ${why}`);
}
