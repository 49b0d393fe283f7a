import { posix } from 'node:path';
import { type Layer, type ScriptPhase, scriptPhases } from '../resolved/image.ts';
import type { ImageFile } from '../schema/image.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { YamlDocument } from '../source/yaml-document.ts';
import type { LocatedModule, ModuleFiles } from './module-files.ts';
import type { Reporter } from './reporter.ts';

/** Reads the scripts that an image names, or takes the ones that are written in it. */
export async function resolveScripts(
  files: ModuleFiles,
  module: LocatedModule,
  written: NonNullable<ImageFile['spec']['scripts']>,
  report: Reporter,
): Promise<Layer['scripts']> {
  const scripts: Layer['scripts'] = {};
  for (const phase of scriptPhases) {
    const value = written[phase];
    if (value === undefined) continue;
    const path = ['spec', 'scripts', phase];
    if (value.startsWith('#!') || value.includes('\n')) {
      if (!value.startsWith('#!')) {
        report(path, {
          message: `The script \`${phase}\` has several lines but does not begin with \`#!\`.`,
          hint: 'Begin it with `#!/bin/sh`, or write the path of a file.',
        });
        continue;
      }
      scripts[phase] = {
        path: `${files.relative(module.path)}#${phase}`,
        text: value,
        ...inlinePlace(module.document.yaml, path),
      };
      continue;
    }
    if (value.startsWith('/') || value.includes('\0')) {
      report(path, { message: 'The path of a script is relative to the module file.' });
      continue;
    }
    const file = posix.join(posix.dirname(module.path), value);
    const found = await files.script(file);
    if ('message' in found) {
      report(path, found);
      continue;
    }
    const warning = shebangWarning(phase, found.source.text, found.bom);
    if (warning !== undefined) report(path, warning);
    scripts[phase] = { path: files.relative(file), text: `${found.bom ? '\ufeff' : ''}${found.source.text}` };
  }
  return scripts;
}

/** What would keep the kernel from starting the script: it takes every byte of the first line as it is. */
function shebangWarning(phase: ScriptPhase, text: string, bom: boolean): Finding | undefined {
  if (bom)
    return {
      severity: 'warning',
      message: `The script \`${phase}\` begins with a byte order mark: its \`#!\` line is not seen.`,
      hint: 'Save it again without BOM.',
    };
  const [first = ''] = text.split('\n', 1);
  if (first.startsWith('#!') && first.endsWith('\r')) {
    return {
      severity: 'warning',
      message: `The script \`${phase}\` has Windows line ends: no machine has an interpreter called ${JSON.stringify(first.slice(2).trim() + '\r')}.`,
      hint: 'Save it again with Unix line ends, and tell Git: `*.sh text eol=lf` in .gitattributes.',
    };
  }
  return undefined;
}

/** Where an inline block begins, so that a place in the script can be shown as a place in the file. */
function inlinePlace(yaml: YamlDocument, path: readonly string[]): { inline?: { line: number; indent: number } } {
  const [start] = yaml.rangeOf(path);
  const { text } = yaml.source;
  if (text[start] !== '|') return {};
  const body = text.indexOf('\n', start) + 1;
  const [indent = ''] = /^ */.exec(text.slice(body, body + 200)) ?? [];
  return { inline: { line: yaml.source.at(body).line, indent: indent.length } };
}
