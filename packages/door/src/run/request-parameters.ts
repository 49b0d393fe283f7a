import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PacelineError } from '@paceline/model';
import { LineCounter, parse, YAMLParseError } from 'yaml';
import * as z from 'zod';

const parameterFile = z.record(z.string(), z.union([z.string(), z.record(z.string(), z.string())]));

export interface ParameterOptions {
  parameter: readonly string[];
  parametersFile?: string;
}

/**
 * The parameters that a command line gives: those of the file, then those written out, which win.
 * @throws PACELINE_REQUEST_INVALID
 */
export async function requestParameters({ parameter, parametersFile }: ParameterOptions, cwd: string): Promise<Record<string, string>> {
  const fromFile = parametersFile === undefined ? {} : await readParameters(resolve(cwd, parametersFile));
  return { ...fromFile, ...Object.fromEntries(parameter.map(parameterPair)) };
}

/** A parameter as it is written in one line: `NAME=VALUE`. @throws PACELINE_REQUEST_INVALID */
export function parameterPair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `'${text}' is not a parameter`, {
      hint: 'Write it as NAME=VALUE or NODE:NAME=VALUE.',
    });
  }
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Reads a file of parameters; see {@link parametersOf}. */
async function readParameters(path: string): Promise<Record<string, string>> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new PacelineError('PACELINE_REQUEST_INVALID', `${path} cannot be read: ${cause.message}`, { cause });
  });
  return parametersOf(text, path);
}

/**
 * Parameters as YAML: `NAME: value`, `NODE:NAME: value`, or the values of a node below its name. Values are texts, exactly as they are
 * written: `1.10` is a version and no number.
 * @param source what the text comes from, for the error
 * @throws PACELINE_REQUEST_INVALID
 */
export function parametersOf(text: string, source: string): Record<string, string> {
  const invalid = (what: string, cause?: unknown): PacelineError =>
    new PacelineError('PACELINE_REQUEST_INVALID', `${source} ${what}`, { cause });
  const lines = new LineCounter();
  let data: unknown;
  try {
    data = parse(text, { schema: 'failsafe', prettyErrors: false, lineCounter: lines }) ?? {};
  } catch (error) {
    // Where it is, and not the line itself: that may hold a secret which nobody masks yet.
    const at = error instanceof YAMLParseError ? lines.linePos(error.pos[0]) : undefined;
    const where = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
    throw invalid(`is not valid YAML${where}: ${(error as Error).message}`, error);
  }
  const parsed = parameterFile.safeParse(data);
  if (!parsed.success) throw invalid(`is not a list of parameters:\n${z.prettifyError(parsed.error)}`, parsed.error);
  return Object.fromEntries(
    Object.entries(parsed.data).flatMap(([name, value]): [string, string][] =>
      typeof value === 'object' ? Object.entries(value).map(([key, own]) => [`${name}:${key}`, own]) : [[name, value]],
    ),
  );
}
