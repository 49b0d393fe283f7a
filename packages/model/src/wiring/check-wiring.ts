import { instanceName, parseKey } from '../parameters/key.ts';
import type { ResolvedDeployment } from '../resolved/deployment.ts';
import type { Script } from '../resolved/image.ts';
import type { RunPlan } from '../resolved/run-plan.ts';
import { type Diagnostic, type Finding, sortDiagnostics } from '../source/diagnostic.ts';
import type { Range } from '../source/source-text.ts';
import { findDeadlocks } from './deadlock.ts';
import { deadlockFinding } from './deadlock-finding.ts';
import { type WiringEdge, wiringEdges } from './edges.ts';
import { callsOf } from './flow.ts';
import { findNeverSet } from './never-set.ts';
import { parameterFacts } from './parameter-facts.ts';
import { recipesOf } from './recipes.ts';
import { diagnoseScript } from './script-place.ts';
import { timelineOf } from './timeline.ts';

/** What the scripts of a deployment would do to each other, found by reading them. */
export interface WiringReport {
  /** Errors: a run would abort or hang. Warnings: it might, in some branch. Places are in the scripts. */
  problems: Diagnostic[];
  /** Where the check is blind: other languages, keys that are only known at run time. */
  notChecked: Diagnostic[];
  /** Who tells whom what. */
  edges: WiringEdge[];
}

/**
 * Reads every script for `ss-get`, `ss-set` and their kin, and checks their keys against what is declared: keys that
 * do not exist, values that nobody sets, machines that wait for each other. Pure; never throws.
 * @param plan takes the values of a certain run into account, where given
 */
export function checkWiring(deployment: ResolvedDeployment, plan?: RunPlan): WiringReport {
  const recipes = recipesOf(deployment);
  const problems = new Problems();
  const notChecked = new Problems();
  const named = new Set<string>();
  const name = (written: string): void => {
    const key = parseKey(written);
    if (key?.kind === 'instance') named.add(instanceName(key));
  };
  for (const { parameters } of Object.values(deployment.nodes))
    for (const one of Object.values(parameters)) if ('from' in one) name(one.from);
  for (const scripts of recipes.values()) {
    for (const { parsed, script } of scripts) {
      for (const { range, message } of parsed.notChecked) notChecked.add(script, range, { severity: 'warning', message });
      for (const { range, message } of parsed.errors) {
        problems.add(script, range, {
          severity: 'warning',
          message: `The shell would not understand this: ${message}.`,
        });
      }
      for (const { key } of callsOf(parsed.flow)) name(key);
    }
  }
  const facts = parameterFacts(deployment, plan, named);
  for (const [node, scripts] of recipes) {
    const me = { node, index: 1 };
    for (const { parsed, script } of scripts) {
      for (const call of callsOf(parsed.flow)) {
        const finding = call.possible ? undefined : facts.wrong(call, me);
        if (finding !== undefined)
          problems.add(script, call.range, {
            ...finding,
            severity: call.conditional ? 'warning' : (finding.severity ?? 'error'),
          });
        else if (call.command === 'ss-set' && !call.possible)
          warnForeign(call.key, node, (foreign) => problems.add(script, call.range, foreign));
      }
    }
  }
  const timelines = [...recipes].flatMap(([node, scripts]) => facts.instances(node).map((me) => timelineOf(me, scripts, facts)));
  const { neverSet, findings } = findNeverSet(deployment, recipes, timelines, facts);
  for (const { script, range, ...finding } of findings) problems.add(script, range, finding);
  for (const deadlock of findDeadlocks(timelines, facts, (key) => facts.isGiven(key) || neverSet.has(key))) {
    const [first] = deadlock.links;
    if (first !== undefined)
      problems.add(first.waits.script, first.waits.call.range, deadlockFinding(deadlock, facts, deployment.onStall === 'wait'));
  }
  return {
    problems: problems.sorted(),
    notChecked: notChecked.sorted(),
    edges: wiringEdges(deployment, recipes, facts),
  };
}

/** A script of an image that several nodes use is looked at several times; what is found is said once. */
class Problems {
  readonly #found = new Map<string, Diagnostic>();

  add(script: Script, range: Range, finding: Finding): void {
    const id = JSON.stringify([script.path, range, finding.message]);
    const severity = finding.severity ?? 'error';
    if (this.#found.get(id)?.severity !== 'error') this.#found.set(id, diagnoseScript(script, range, { ...finding, severity }));
  }

  sorted(): Diagnostic[] {
    return sortDiagnostics([...this.#found.values()]);
  }
}

function warnForeign(written: string, me: string, warn: (finding: Finding) => void): void {
  const key = parseKey(written);
  if ((key?.kind !== 'instance' && key?.kind !== 'node') || key.node === me) return;
  warn({
    severity: 'warning',
    message: `This sets a parameter of another node, \`${written}\`; a machine may only set its own and those of the run (\`ss:NAME\`).`,
    hint: `Set it here under its own name, and map it in the deployment: \`${key.name}: { from: "${me}:${key.name}" }\`.`,
  });
}
