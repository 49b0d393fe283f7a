import { toError } from '../errors/paceline-error.ts';
import { evaluate, parametersOf, type TypedValue } from '../parameters/expression.ts';
import { formatKey, parseKey } from '../parameters/key.ts';
import { checkValue } from '../parameters/value.ts';
import type { NodeParameter, ResolvedNode } from '../resolved/deployment.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { PlannedParameter } from '../resolved/run-plan.ts';
import type { Refuse } from './run-request.ts';

export interface NodePlanContext {
  name: string;
  node: ResolvedNode;
  /** The user's values for the inputs of this node. */
  asked: ReadonlyMap<string, string>;
  /** The deployment's parameters, for expressions. */
  values: Readonly<Record<string, TypedValue>>;
  globals: Readonly<Record<string, PlannedParameter>>;
  refuse: Refuse;
}

/** The parameters of every instance of a node: all that its image declares, with first values and mappings. */
export function planInputs(context: NodePlanContext): Record<string, PlannedParameter> {
  const { name: node, refuse } = context;
  const planned: Record<string, PlannedParameter> = {};
  for (const [name, spec] of Object.entries(context.node.image.parameters)) {
    const key = `${node}:${name}`;
    const origin = originOf(context, name, spec, key);
    const checked = checkValue(origin.secret ? { ...spec, secret: true } : spec, origin.text ?? '');
    if ('message' in checked) refuse(key, `${key} ${checked.message}`, checked.hint);
    const value = 'value' in checked && checked.value !== '' ? checked.value : undefined;
    if (spec.required && value === undefined && origin.from === undefined && 'value' in checked) {
      refuse(key, `${key} needs a value${spec.description ? `: ${spec.description}` : ''}`);
    }
    planned[name] = {
      type: spec.type,
      ...(value === undefined ? {} : { value }),
      ...(origin.from === undefined ? {} : { from: origin.from }),
      secret: spec.secret === true || spec.type === 'password' || origin.secret,
      output: spec.output === true,
    };
  }
  return planned;
}

interface Origin {
  text?: string | undefined;
  from?: string;
  secret: boolean;
}

function originOf({ asked, node, values, globals, refuse }: NodePlanContext, name: string, spec: ParameterSpec, key: string): Origin {
  const given = asked.get(name);
  if (given !== undefined) return { text: given, secret: false };
  const written: NodeParameter | undefined = Object.hasOwn(node.parameters, name) ? node.parameters[name] : undefined;
  if (written === undefined) return { text: spec.default, secret: false };
  if ('value' in written) return { text: written.value, secret: false };
  if ('from' in written) {
    const source = parseKey(written.from);
    if (source?.kind === 'instance') return { from: written.from, secret: false };
    if (source?.kind === 'node') return { from: formatKey({ ...source, kind: 'instance', index: 1 }), secret: false };
    refuse(key, `${key} follows \`${written.from}\`, which is not \`node:parameter\``);
    return { secret: false };
  }
  const secret = parametersOf(written.expression).some((one) => globals[one]?.secret);
  try {
    return { text: evaluate(written.expression, values), secret };
  } catch (error) {
    refuse(key, `${key} (\`${written.expression}\`) cannot be worked out: ${toError(error).message}`);
    return { secret };
  }
}
