import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { budget, PacelineError, type Budget } from '@paceline/model';
import { parse } from 'yaml';
import * as z from 'zod';

const cloudName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/i, 'must be letters, digits and dashes');
const cloudEntry = z.looseObject({ connector: z.string().min(1), reach: z.enum(['direct', 'host', 'tunnel']).optional() });
const cloudsFile = z.strictObject({ clouds: z.record(cloudName, cloudEntry), budget: budget.optional() });

/** One cloud as it is written down: `connector` says which code speaks to it, the rest is that code's configuration. */
export interface CloudEntry {
  name: string;
  connector: string;
  /** How its machines reach the engine. @default what the connector says */
  reach?: 'direct' | 'host' | 'tunnel';
  config: Record<string, unknown>;
}

export interface CloudsSource {
  /** The file; null when there is none and the default stands. */
  file: string | null;
  /** What it says. */
  text: string | null;
  /** Changes when anything in it changes. */
  digest: string;
  /** Where connectors of the user's own are looked for. */
  folder: string;
  entries: CloudEntry[];
  /** The most that each run may cost. */
  budget?: Budget;
}

/**
 * Reads which clouds there are: from a file, else from `clouds.yaml` in the state directory, else those that need none.
 * @throws PACELINE_REQUEST_INVALID with the file and what is wrong in it
 */
export async function readClouds(state: string, file: string | undefined): Promise<CloudsSource> {
  const path = file ?? join(state, 'clouds.yaml');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (file === undefined && error.code === 'ENOENT') return undefined;
    throw invalid(path, `cannot be read: ${error.message}`, error);
  });
  if (text === undefined)
    return {
      file: null,
      text: null,
      digest: digestOf(state),
      folder: state,
      entries: defaultClouds().map(withState(state)),
    };
  return cloudsOf(state, path, text);
}

/**
 * The clouds that a file says, or said when it was read.
 * @throws PACELINE_REQUEST_INVALID with the file and what is wrong in it
 */
export function cloudsOf(state: string, path: string, text: string): CloudsSource {
  const { clouds, budget: most } = checked(path, text);
  const entries = Object.entries(clouds).map(([name, { connector, reach, ...config }]) => ({
    name,
    connector,
    ...(reach === undefined ? {} : { reach }),
    config,
  }));
  return {
    file: path,
    text,
    digest: digestOf(state, path, text),
    folder: dirname(path),
    entries: entries.map(withState(state)),
    ...(most === undefined ? {} : { budget: most }),
  };
}

/** What needs no configuration. Runs that name no cloud take the first one. */
function defaultClouds(): CloudEntry[] {
  const names = process.platform === 'linux' ? ['local', 'sandbox'] : ['local'];
  return names.map((name) => ({ name, connector: name, config: {} }));
}

/**
 * Machines on this host lie in the state directory unless they are told to lie elsewhere, and do not see what else is in it. So does what
 * some connectors have to keep for clouds that do not.
 */
function withState(state: string): (entry: CloudEntry) => CloudEntry {
  const common: Record<string, (entry: CloudEntry) => Record<string, unknown>> = {
    local: ({ name }) => ({ root: join(state, name) }),
    libcloud: ({ name }) => ({ root: join(state, name) }),
    qemu: ({ name }) => ({ root: join(state, name) }),
    sandbox: ({ name }) => ({ root: join(state, name), hide: [state] }),
    terraform: ({ name }) => ({ root: join(state, name) }),
  };
  return (entry) => ({ ...entry, config: { ...common[entry.connector]?.(entry), ...entry.config } });
}

function checked(path: string, text: string): z.infer<typeof cloudsFile> {
  let data: unknown;
  try {
    data = parse(text);
  } catch (error) {
    throw invalid(path, `is not valid YAML: ${(error as Error).message}`, error);
  }
  const parsed = cloudsFile.safeParse(data);
  if (!parsed.success) throw invalid(path, `is not a list of clouds:\n${z.prettifyError(parsed.error)}`, parsed.error);
  return parsed.data;
}

function invalid(path: string, what: string, cause: unknown): PacelineError {
  return new PacelineError('PACELINE_REQUEST_INVALID', `${path} ${what}`, {
    cause,
    hint: 'It looks like `clouds: { NAME: { connector: local } }`, with the configuration of the connector beside it.',
  });
}

function digestOf(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
