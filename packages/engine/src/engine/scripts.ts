import type { RunPlan } from '@paceline/model';
import { scriptDigest } from '../run/script-digest.ts';

const indexes = new WeakMap<RunPlan, Map<string, string>>();

/** The text of a plan's script by its digest. */
export function scriptOf(plan: RunPlan, digest: string): string | undefined {
  let index = indexes.get(plan);
  if (index === undefined) {
    const scripts = Object.values(plan.nodes).flatMap(({ image }) => image.layers.flatMap((layer) => Object.values(layer.scripts)));
    index = new Map(scripts.map((script) => [scriptDigest(script), script.text]));
    indexes.set(plan, index);
  }
  return index.get(digest);
}
