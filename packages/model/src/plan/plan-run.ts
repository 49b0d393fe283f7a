import { PacelineError, toError } from '../errors/paceline-error.ts';
import { evaluate, type TypedValue } from '../parameters/expression.ts';
import { checkValue } from '../parameters/value.ts';
import type { ResolvedDeployment, ResolvedNode } from '../resolved/deployment.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { PlannedNode, PlannedParameter, RunPlan } from '../resolved/run-plan.ts';
import { bounds } from '../resolved/bounds.ts';
import { cloudsNamed, parseCloudChoice } from './cloud-choice.ts';
import { checkMappings } from './check-mappings.ts';
import { planInputs } from './node-plan.ts';
import { type Refuse, type RequestProblem, type RunRequest, sortValues } from './run-request.ts';
import { spreadSecrets } from './secrets.ts';
import { typedValues } from './typed-values.ts';

/**
 * Works out everything about a run that is fixed when it starts: how many machines of what, where, with which first
 * values. A value comes from the request, else the node's constant, else the image's default.
 * @throws PacelineError PACELINE_REQUEST_INVALID with every problem in its message and as `data.problems`;
 *   PACELINE_CLOUD_UNKNOWN when only names of clouds are wrong, or there is no cloud at all
 */
export function planRun(deployment: ResolvedDeployment, request: RunRequest = {}): RunPlan {
  if (request.knownClouds?.length === 0 && Object.keys(deployment.nodes).length > 0) {
    throw new PacelineError(
      'PACELINE_CLOUD_UNKNOWN',
      `A run of ${deployment.name} cannot start: the server has no cloud for its machines`,
      {
        hint: 'Name one in its file of clouds, such as `clouds: { local: { connector: local } }`, and start it again.',
      },
    );
  }
  const problems: RequestProblem[] = [];
  const refuse: Refuse = (parameter, message, hint, cloud) =>
    void problems.push({ parameter, message, ...(hint === undefined ? {} : { hint }), ...(cloud ? { cloud } : {}) });

  const asked = sortValues(deployment, request.parameters ?? {}, refuse);
  const globals = planGlobals(deployment.parameters, asked.globals, refuse);
  const values = typedValues(globals);
  const nodes: Record<string, PlannedNode> = {};
  for (const [name, node] of Object.entries(deployment.nodes)) {
    const settings = asked.settings.get(name) ?? new Map<string, string>();
    const multiplicity = planMultiplicity(deployment, name, node, settings.get('multiplicity'), values, refuse);
    const cloud = settings.get('cloud') ?? request.cloud ?? node.cloud;
    checkCloud(name, cloud, request.knownClouds, refuse);
    nodes[name] = {
      image: node.image,
      multiplicity,
      cloud,
      maxProvisioningFailures: planFailures(name, node, settings.get('max-provisioning-failures'), multiplicity, refuse),
      parameters: planInputs({ name, node, asked: asked.inputs.get(name) ?? new Map(), values, globals, refuse }),
    };
  }
  for (const key of ['timeoutMs', 'lifetimeMs'] as const) {
    const ms = request[key];
    if (ms !== undefined && !(Number.isSafeInteger(ms) && ms > 0 && ms <= bounds.durationMs))
      refuse(key, `${key} must be a whole number of milliseconds above 0 and at most ten years, not ${ms}`);
  }
  const scalable = request.scalable ?? deployment.scalable === true;
  if (scalable && deployment.kind === 'Image') refuse('scalable', 'The run of one image is one machine', 'Write a deployment for several.');
  if (scalable && request.keepRunning === 'never')
    refuse('keepRunning', 'A scalable run stays ready until it is ended: `never` cannot be', 'Leave one of the two out.');
  const instances = Object.values(nodes).reduce((total, { multiplicity }) => total + multiplicity, 0);
  if (instances > bounds.instances) refuse('multiplicity', `A run has at most ${bounds.instances} machines, not ${instances}`);
  checkMappings(nodes, refuse);
  if (problems.length > 0) throw refusal(deployment, problems);
  const budget = request.budget ?? deployment.budget;
  return {
    category: deployment.kind,
    deployment: {
      name: deployment.name,
      ...(deployment.title === undefined ? {} : { title: deployment.title }),
      module: deployment.module,
      digest: deployment.digest,
    },
    nodes: spreadSecrets(nodes),
    globals,
    ...(scalable ? { scalable } : {}),
    keepRunning: request.keepRunning ?? deployment.keepRunning,
    timeoutMs: request.timeoutMs ?? deployment.timeoutMs,
    lifetimeMs: request.lifetimeMs ?? deployment.lifetimeMs,
    onStall: deployment.onStall,
    ...(budget === undefined ? {} : { budgets: [{ of: 'the run' as const, ...budget }] }),
  };
}

function checkCloud(node: string, choice: string, known: readonly string[] | undefined, refuse: Refuse): void {
  const key = `${node}:cloud`;
  if (parseCloudChoice(choice, []) === undefined) {
    return refuse(
      key,
      `${key} cannot be understood: ${JSON.stringify(choice)}`,
      'Write a cloud, several with commas, `any:price` or `any:spread`, or shares such as `lab*3+aws`.',
    );
  }
  const isShared = /[*+]/.test(choice);
  for (const cloud of cloudsNamed(choice)) {
    if (known === undefined || known.includes(cloud) || (cloud === 'any' && !isShared)) continue;
    refuse(key, `Unknown cloud: ${cloud} for node: ${node}`, `Known: ${['any', ...known].join(', ')}.`, true);
  }
}

function planGlobals(
  specs: Readonly<Record<string, ParameterSpec>>,
  asked: ReadonlyMap<string, string>,
  refuse: Refuse,
): Record<string, PlannedParameter> {
  const globals: Record<string, PlannedParameter> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const checked = checkValue(spec, asked.get(name) ?? spec.default ?? '');
    if ('message' in checked) refuse(name, `${name} ${checked.message}`, checked.hint);
    // Refused already: with the default, what depends on it is not refused once more.
    const text = 'value' in checked ? checked.value : spec.default;
    const value = text === '' ? undefined : text;
    if (spec.required && value === undefined && 'value' in checked)
      refuse(name, `${name} needs a value${spec.description ? `: ${spec.description}` : ''}`);
    globals[name] = {
      type: spec.type,
      ...(value === undefined ? {} : { value }),
      secret: spec.secret === true || spec.type === 'password',
      output: spec.output === true,
    };
  }
  return globals;
}

function planMultiplicity(
  deployment: ResolvedDeployment,
  name: string,
  node: ResolvedNode,
  asked: string | undefined,
  values: Readonly<Record<string, TypedValue>>,
  refuse: Refuse,
): number {
  const key = `${name}:multiplicity`;
  let text = asked ?? String(node.multiplicity);
  let what = key;
  if (asked === undefined && typeof node.multiplicity === 'string') {
    what = `${key} (\`${node.multiplicity}\`)`;
    try {
      text = evaluate(node.multiplicity, values);
    } catch (error) {
      refuse(key, `${what} cannot be worked out: ${toError(error).message}`);
      return 0;
    }
  }
  const multiplicity = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(multiplicity <= bounds.instances)) {
    refuse(key, `${what} must be a whole number from 0 to ${bounds.instances}, not ${JSON.stringify(text)}`);
    return 0;
  }
  if (deployment.kind === 'Image' && multiplicity !== 1) {
    refuse(key, 'The run of one image is one machine', 'Write a deployment for several.');
  }
  return multiplicity;
}

function planFailures(name: string, node: ResolvedNode, asked: string | undefined, multiplicity: number, refuse: Refuse): number {
  const text = asked ?? String(node.maxProvisioningFailures);
  const failures = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  const key = `${name}:max-provisioning-failures`;
  if (Number.isNaN(failures)) {
    refuse(key, `${key} must be a whole number from 0, not ${JSON.stringify(text)}`);
    return 0;
  }
  // A value of the file that a small multiplicity overtakes is no mistake of the user: none may fail then.
  if (asked === undefined) return Math.min(failures, Math.max(0, multiplicity - 1));
  if (failures > 0 && failures >= multiplicity)
    refuse(key, `${key} must be less than the multiplicity of ${multiplicity}, not ${failures}`);
  return failures;
}

function refusal({ name }: ResolvedDeployment, problems: readonly RequestProblem[]): PacelineError {
  const [first] = problems;
  const code = problems.every(({ cloud }) => cloud) ? 'PACELINE_CLOUD_UNKNOWN' : 'PACELINE_REQUEST_INVALID';
  const data = {
    problems: problems.map(({ parameter, message, hint }) => ({
      parameter,
      message,
      ...(hint === undefined ? {} : { hint }),
    })),
  };
  if (problems.length === 1 && first !== undefined) {
    return new PacelineError(code, first.message, { data, ...(first.hint === undefined ? {} : { hint: first.hint }) });
  }
  const lines = problems.map(({ message, hint }) => `- ${message}${hint === undefined ? '' : `. ${hint}`}`);
  return new PacelineError(code, `A run of ${name} cannot start: ${problems.length} problems.\n${lines.join('\n')}`, {
    data,
  });
}
