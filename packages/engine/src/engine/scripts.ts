import type { RunPlan } from '@paceline/model';
import { hygiene } from '../images/hygiene.ts';
import { scriptDigest } from '../run/script-digest.ts';

const indexes = new WeakMap<RunPlan, Map<string, string>>();

/** The text of a plan's script by its digest. */
export function scriptOf(plan: RunPlan, digest: string): string | undefined {
  let index = indexes.get(plan);
  if (index === undefined) {
    const scripts = Object.values(plan.nodes).flatMap(({ image }) => image.layers.flatMap((layer) => Object.values(layer.scripts)));
    if (plan.build !== undefined) scripts.push(hygiene);
    index = new Map(scripts.map((script) => [scriptDigest(script), script.text]));
    indexes.set(plan, index);
  }
  return index.get(digest);
}
