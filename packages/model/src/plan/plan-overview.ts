import { evaluate, type TypedValue } from '../parameters/expression.ts';
import { instanceName } from '../parameters/key.ts';
import type { NodeParameter, ResolvedDeployment } from '../resolved/deployment.ts';
import { type Port, type ResolvedImage, type Resources, phaseLabels, type ScriptPhase, scriptPhases } from '../resolved/image.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { PlannedParameter, RunPlan } from '../resolved/run-plan.ts';
import { typedValues } from './typed-values.ts';

/** Something that a machine does, in order. `packages` steps have no path, script steps no packages. */
export interface OverviewStep {
  phase: ScriptPhase | 'packages';
  label: string;
  /** The image of the inheritance chain that it comes from. */
  module: string;
  path?: string;
  packages?: readonly string[];
}

/**
 * Where a first value comes from. `script`: an output, to be set while the run goes on; `none`: nothing gives one yet.
 */
export type ValueOrigin = 'request' | 'constant' | 'expression' | 'mapping' | 'default' | 'script' | 'none';

export interface OverviewParameter {
  name: string;
  origin: ValueOrigin;
  /** Absent when there is none yet, and for secrets. */
  value?: string;
  /** Of a mapping: the instance parameter that it follows. */
  from?: string;
  secret: boolean;
}

export interface OverviewNode {
  name: string;
  /** Names of the machines that the run starts with. */
  instances: string[];
  cloud: string;
  image: Pick<ResolvedImage, 'name' | 'module' | 'digest'>;
  resources: Resources;
  ports: readonly Port[];
  /** What each machine does at the start, in order. */
  steps: OverviewStep[];
  /** Scripts that run only when the run is scaled. */
  hooks: OverviewStep[];
  parameters: OverviewParameter[];
}

/** What a run would do, for people to look at before it starts. */
export interface PlanOverview {
  kind: 'Deployment' | 'Image';
  name: string;
  title?: string;
  digest: string;
  /** Number of machines of all nodes. */
  machines: number;
  keepRunning: RunPlan['keepRunning'];
  timeoutMs: number;
  lifetimeMs: number;
  parameters: OverviewParameter[];
  nodes: OverviewNode[];
}

const hookPhases: readonly ScriptPhase[] = ['onVmAdd', 'onVmRemove', 'preScale', 'postScale'];

/** Puts a plan into words that only need to be printed. Pure; secrets are left out. */
export function planOverview(deployment: ResolvedDeployment, plan: RunPlan): PlanOverview {
  const values = typedValues(plan.globals);
  const nodes = Object.entries(plan.nodes).map(([name, node]): OverviewNode => {
    const { image } = node;
    const steps = stepsOf(image);
    return {
      name,
      instances: Array.from({ length: node.multiplicity }, (_, at) => instanceName({ node: name, index: at + 1 })),
      cloud: node.cloud,
      image: { name: image.name, module: image.module, digest: image.digest },
      resources: image.resources,
      ports: image.ports,
      steps: steps.filter(({ phase }) => phase === 'packages' || !hookPhases.includes(phase)),
      hooks: steps.filter(({ phase }) => phase !== 'packages' && hookPhases.includes(phase)),
      parameters: Object.entries(node.parameters).map(([parameter, planned]) =>
        describe(parameter, planned, image.parameters[parameter], deployment.nodes[name]?.parameters[parameter], values),
      ),
    };
  });
  return {
    kind: plan.category,
    name: plan.deployment.name,
    ...(plan.deployment.title === undefined ? {} : { title: plan.deployment.title }),
    digest: plan.deployment.digest,
    machines: nodes.reduce((sum, { instances }) => sum + instances.length, 0),
    keepRunning: plan.keepRunning,
    timeoutMs: plan.timeoutMs,
    lifetimeMs: plan.lifetimeMs,
    parameters: Object.entries(plan.globals).map(([name, planned]) =>
      describe(name, planned, deployment.parameters[name], undefined, values),
    ),
    nodes,
  };
}

/** The order of a machine's life: the packages are installed between the scripts before and after. */
function stepsOf({ layers }: ResolvedImage): OverviewStep[] {
  const script = (phase: ScriptPhase): OverviewStep[] =>
    layers.flatMap(({ module, scripts }) =>
      scripts[phase] ? [{ phase, label: phaseLabels[phase], module, path: scripts[phase].path }] : [],
    );
  const packages = layers.flatMap((layer): OverviewStep[] =>
    layer.packages.length === 0 ? [] : [{ phase: 'packages', label: 'Install packages', module: layer.module, packages: layer.packages }],
  );
  const [first, ...rest] = scriptPhases;
  return [...script(first), ...packages, ...rest.flatMap(script)];
}

function describe(
  name: string,
  { value, from, secret, output }: PlannedParameter,
  spec: ParameterSpec | undefined,
  written: NodeParameter | undefined,
  values: Readonly<Record<string, TypedValue>>,
): OverviewParameter {
  if (from !== undefined) return { name, origin: 'mapping', from, secret };
  if (value === undefined) return { name, origin: output ? 'script' : 'none', secret };
  return { name, origin: originOf(value, spec, written, values), ...(secret ? {} : { value }), secret };
}

function originOf(
  value: string,
  spec: ParameterSpec | undefined,
  written: NodeParameter | undefined,
  values: Readonly<Record<string, TypedValue>>,
): ValueOrigin {
  if (written === undefined) return value === spec?.default ? 'default' : 'request';
  if ('value' in written) return value === written.value ? 'constant' : 'request';
  if ('from' in written) return 'request';
  try {
    return evaluate(written.expression, values) === value ? 'expression' : 'request';
  } catch {
    return 'request';
  }
}
