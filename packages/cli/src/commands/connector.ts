import { resolve } from 'node:path';
import { harmlessLine } from '@paceline/door';
import { runConformance, type CheckResult, type ConformanceSubject } from '@paceline/engine/conformance';
import { loadConnector, openClouds, readClouds } from '@paceline/clouds';
import { ConnectorError, type Connector, type ConnectorContext, type Resource } from '@paceline/engine/connector';
import { PacelineError } from '@paceline/model';
import { stateLocation } from '../embedded/state-location.ts';
import { say, type GlobalOptions, type Shell } from '../shell.ts';
import { wholeNumber } from '../whole-number.ts';

export interface ConnectorOptions extends GlobalOptions {
  clouds?: string;
  image?: string;
  unknownImage?: string;
  host?: string;
  endOfLife?: 'connector' | 'machine';
  only?: string;
  patience: string;
  live?: boolean;
  budget: string;
  json?: boolean;
}

/** `paceline connector test CLOUD`: whether its connector does what all have to do. */
export async function connectorCommand([action, name = '']: string[], options: ConnectorOptions, shell: Shell): Promise<number> {
  if (action !== 'test') throw new PacelineError('PACELINE_REQUEST_INVALID', `There is no action ${action}`, { hint: 'There is: test.' });
  const subject = await subjectOf(name, options, shell);
  const only = options.only?.split(',');
  // Machines that are processes of this host would power off the host.
  const wanted = (id: string): boolean =>
    only === undefined ? id !== 'end-of-life' || options.endOfLife !== undefined : only.includes(id);
  const results: CheckResult[] = [];
  for await (const result of runConformance(subject, wanted)) {
    results.push(result);
    shell.stdout.write(options.json === true ? `${JSON.stringify({ cloud: name, ...result })}\n` : line(result));
  }
  const count = (outcome: CheckResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  if (options.json !== true) say(shell, `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  return count('failed') === 0 ? 0 : 1;
}

function line({ id, title, outcome, why, ms }: CheckResult): string {
  const sign = { passed: '✓', failed: '✗', skipped: '–' }[outcome];
  const detail = outcome === 'passed' ? `${title} (${(ms / 1000).toFixed(1)} s)` : `${title}: ${why}`;
  return `${sign} ${id.padEnd(22)} ${harmlessLine(detail)}\n`;
}

async function subjectOf(name: string, options: ConnectorOptions, shell: Shell): Promise<ConformanceSubject> {
  const file = options.clouds === undefined ? undefined : resolve(shell.cwd, options.clouds);
  const source = await readClouds(stateLocation(options, shell), file);
  const entry = source.entries.find((each) => each.name === name);
  if (entry === undefined) {
    throw new PacelineError('PACELINE_CLOUD_UNKNOWN', `There is no cloud ${name}`, {
      hint: `There are: ${source.entries.map((each) => each.name).join(', ')}. --clouds names another file.`,
    });
  }
  const [cloud] = await openClouds({ ...source, entries: [entry] }, import.meta.dirname);
  const module = await loadConnector(entry.connector, [source.folder, import.meta.dirname]);
  if (cloud === undefined) throw new Error('the cloud was not opened');
  const first = cloud.connector;
  const isHere = first.capabilities.reach === 'host';
  if (!isHere && options.live !== true) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `The machines of ${name} may cost money`, {
      hint: `With --live they are launched, at most --budget of them (${options.budget}), and ended again.`,
    });
  }
  const budget = budgetOf(wholeNumber('--budget', options.budget, 0, 10_000));
  const host = options.host ?? (isHere ? '127.0.0.1' : undefined);
  return {
    createConnector: () => budget(inTime(first, module.createConnector(entry.config))),
    image: options.image ?? '',
    patienceMs: wholeNumber('--patience', options.patience, 1, 86_400) * 1000,
    ...(host !== undefined && { host }),
    ...(options.unknownImage !== undefined && { unknownImage: options.unknownImage }),
    ...(options.endOfLife !== undefined && { endOfLife: options.endOfLife }),
  };
}

/** A connector that may still be on its way; what it can do is known from the first. */
function inTime(first: Connector, made: Connector | Promise<Connector>): Connector {
  if (!(made instanceof Promise)) return made;
  made.catch(() => {});
  return {
    info: first.info,
    capabilities: first.capabilities,
    launch: async (...args) => (await made).launch(...args),
    describe: async (...args) => (await made).describe(...args),
    terminate: async (...args) => (await made).terminate(...args),
    probe: async (context) => (await made).probe(context),
    async *list(query, context) {
      yield* (await made).list(query, context);
    },
    ...(first.remove !== undefined && {
      remove: async (resource: Resource, context: ConnectorContext) => (await made).remove?.(resource, context),
    }),
    ...(first.consoleLog !== undefined && {
      consoleLog: async (id: string, since: number, context: ConnectorContext) =>
        (await (await made).consoleLog?.(id, since, context)) ?? { text: '', next: since },
    }),
    ...(first.createImage !== undefined && {
      createImage: async (id: string, name: string, context: ConnectorContext) =>
        (await (await made).createImage?.(id, name, context)) ?? unsupported(),
    }),
    close: async () => (await made).close?.(),
  };
}

function unsupported(): never {
  throw new ConnectorError('unsupported', 'it does not make images');
}

/** Refuses launches beyond so many machines in all. */
function budgetOf(machines: number): (connector: Connector) => Connector {
  let left = machines;
  return (connector) => {
    const launch: Connector['launch'] = (request, context) => {
      left -= request.machines.length;
      if (left < 0) throw new ConnectorError('quota', `the budget of ${machines} machines is used up`, { hint: 'Set a larger --budget.' });
      return connector.launch(request, context);
    };
    return new Proxy(connector, {
      get: (target, key): unknown => (key === 'launch' ? launch : Reflect.get(target, key, target)),
    });
  };
}
