import { access } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { RunDetail } from '@paceline/api';
import type { LogLine } from '@paceline/door';
import { phaseLabels, type Diagnostic, type ResolvedDeployment, type Script } from '@paceline/model';

/**
 * Where the script that aborted a run is written, with the line that failed as far as the shell has told it.
 * @param folder of the module, absolute
 * @param base that the file is to be named relative to
 */
export async function failedPlace(
  { abort, instances }: RunDetail,
  lastWords: readonly LogLine[],
  { deployment, folder, base }: { deployment: ResolvedDeployment; folder: string; base: string },
): Promise<Diagnostic | undefined> {
  const [, module, label, name] = /^Failed running '([^']+):([^':]+)' script on '([^']+)'/.exec(abort?.reason ?? '') ?? [];
  const node = instances.find((instance) => instance.name === name)?.node ?? '';
  const script = scriptOf(deployment, node, module, label);
  const file = script === undefined ? undefined : await locate(script.path, folder);
  if (abort === null || script === undefined || file === undefined) return undefined;
  const said = lineTold(lastWords.map(({ text }) => text));
  const line = script.inline === undefined ? (said ?? 1) : script.inline.line + (said ?? 1) - 1;
  return {
    file: relative(base, file),
    line,
    column: 1,
    severity: 'error',
    message: [abort.reason, ...lastWords.map(({ text }) => text)].join('\n'),
    frame: '',
  };
}

function scriptOf({ nodes }: ResolvedDeployment, node: string, module?: string, label?: string): Script | undefined {
  const layer = nodes[node]?.image.layers.find((candidate) => candidate.module === module);
  return Object.entries(layer?.scripts ?? {}).find(([phase]) => phaseLabels[phase as keyof typeof phaseLabels] === label)?.[1];
}

/** Paths are relative to the project, which is the folder of the module or one above it. */
async function locate(path: string, folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, path);
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
    if (at === dirname(at)) return undefined;
  }
}

/** The line that a shell or Python names in its last complaint: `x__deployment: line 12: …`, `x: 12: y: not found`, `line 3, in f`. */
export function lineTold(words: readonly string[]): number | undefined {
  for (const text of words.toReversed()) {
    const [, line] = /(?:__[\w-]+: line |__[\w-]+: |__[\w-]+", line )(\d{1,6})(?::|,|$)/.exec(text) ?? [];
    if (line !== undefined) return Number(line);
  }
  return undefined;
}
