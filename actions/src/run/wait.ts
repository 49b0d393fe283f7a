import { setTimeout as pause } from 'node:timers/promises';
import { isPassing, type Client, type RunDetail } from '@paceline/api';
import { globalNames, instanceLevelNames, nodeLevelNames, PacelineError, suggest, type ResolvedDeployment } from '@paceline/model';

/** What a step waits for beyond `ready`: a value of a parameter, or any. */
export interface Condition {
  key: string;
  value: string | undefined;
}

/** `ready`, `NAME`, `NODE.1:NAME`, each also with `=VALUE`. @returns undefined for `ready` */
export function conditionOf(text: string): Condition | undefined {
  if (text === 'ready') return undefined;
  const equals = text.indexOf('=');
  const key = equals === -1 ? text : text.slice(0, equals);
  return { key: key.includes(':') ? key : `ss:${key}`, value: equals === -1 ? undefined : text.slice(equals + 1) };
}

/**
 * Checks before anything is launched that what is waited for can come.
 * @throws PACELINE_REQUEST_INVALID
 */
export function checkCondition({ key, value }: Condition, { parameters, nodes }: ResolvedDeployment): void {
  const colon = key.indexOf(':');
  const [owner, name] = [key.slice(0, colon), key.slice(colon + 1)];
  const node = owner.replace(/\.\d+$/, '');
  const refusal = (what: string, hint: string | undefined): PacelineError =>
    new PacelineError('PACELINE_REQUEST_INVALID', `The input 'wait-for': ${what}`, hint === undefined ? {} : { hint });
  if (owner !== 'ss' && nodes[node] === undefined) throw refusal(`there is no node ${node}`, suggest(node, Object.keys(nodes)));
  const specs = owner === 'ss' ? parameters : (nodes[node]?.image.parameters ?? {});
  const own = owner === 'ss' ? [...globalNames] : [...instanceLevelNames, ...nodeLevelNames];
  const spec = specs[name];
  if (spec === undefined && !own.includes(name))
    throw refusal(`there is no parameter ${key}`, suggest(name, [...Object.keys(specs), ...own]));
  if (value !== undefined && (spec?.secret === true || spec?.type === 'password'))
    throw refusal(`the value of ${key} is secret, so that nobody can see whether it has come`, `Without \`=VALUE\` any value will do.`);
}

const everyMs = 5000;

/**
 * Waits until a parameter of a run has its value. Looks again with every event, and now and then.
 * @throws PACELINE_TIMEOUT, PACELINE_RUN_ABORTED, PACELINE_RUN_ENDED
 */
export async function waitForValue(
  client: Client,
  run: RunDetail,
  { key, value }: Condition,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  const late = AbortSignal.timeout(timeoutMs);
  const stop = new AbortController();
  const until = AbortSignal.any([late, signal, stop.signal]);
  let found: string | null = null;
  const look = async (): Promise<boolean> => {
    try {
      ({ value: found } = await client.parameters.get(run.id, key));
    } catch (error) {
      // The stream of events tells when the server is away for good.
      if (isPassing(error)) return false;
      throw error;
    }
    return found !== null && (value === undefined || found === value);
  };
  const events = async (): Promise<boolean> => {
    for await (const { type, message } of client.followEvents(run.id, { after: run.lastEvent, signal: until })) {
      if (await look()) return true;
      if (type === 'run.abort') throw new PacelineError('PACELINE_RUN_ABORTED', message);
    }
    return false;
  };
  const clock = async (): Promise<boolean> => {
    while (!until.aborted) {
      if (await look()) return true;
      await pause(everyMs, undefined, { signal: until }).catch(() => {});
    }
    return false;
  };
  try {
    if (await Promise.race([events(), clock()])) return;
  } finally {
    stop.abort();
  }
  signal.throwIfAborted();
  const wanted = value === undefined ? 'a value' : `the value '${value}'`;
  if (late.aborted) throw new PacelineError('PACELINE_TIMEOUT', `${key} has not got ${wanted} within ${timeoutMs / 1000} s`);
  throw new PacelineError('PACELINE_RUN_ENDED', `The run has ended, and ${key} has not got ${wanted}`);
}
