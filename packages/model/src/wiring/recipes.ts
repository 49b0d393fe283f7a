import type { ResolvedImage, Script, ScriptPhase } from '../resolved/image.ts';
import { scriptPhases } from '../resolved/image.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import { type ParsedScript, parseScript } from './parse-script.ts';

/** One script of a node, read. */
export interface RecipeScript {
  phase: ScriptPhase;
  script: Script;
  parsed: ParsedScript;
}

/** The phases in which all machines work at the same time, before the barrier after `deploy`. */
export const blockingPhases: readonly ScriptPhase[] = ['preInstall', 'postInstall', 'deploy'];

/** The scripts of each node, in the order in which they run: phase by phase, in each the ancestors' first. */
export function recipesOf({ nodes }: ResolvedDeployment): Map<string, RecipeScript[]> {
  const parsed = new Map<string, ParsedScript>();
  const read = (text: string): ParsedScript => {
    const known = parsed.get(text) ?? parseScript(text);
    parsed.set(text, known);
    return known;
  };
  return new Map(Object.entries(nodes).map(([name, { image }]) => [name, scriptsOf(image, read)]));
}

function scriptsOf({ layers }: ResolvedImage, read: (text: string) => ParsedScript): RecipeScript[] {
  return scriptPhases.flatMap((phase) =>
    layers.flatMap(({ scripts }) => {
      const script = scripts[phase];
      return script === undefined ? [] : [{ phase, script, parsed: read(script.text) }];
    }),
  );
}
