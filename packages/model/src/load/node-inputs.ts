import { checkExpression, expressionOf } from '../parameters/expression.ts';
import { parseKey } from '../parameters/key.ts';
import { suggest } from '../parameters/suggestion.ts';
import { instanceLevelNames, nodeLevelNames } from '../parameters/system.ts';
import { checkValue } from '../parameters/value.ts';
import type { NodeParameter } from '../resolved/deployment.ts';
import type { ResolvedImage } from '../resolved/image.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { DeploymentFile } from '../schema/deployment.ts';
import type { Scalar } from '../schema/parameter.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { Path, YamlDocument } from '../source/yaml-document.ts';
import { scalarText } from './declarations.ts';
import type { Reporter } from './reporter.ts';

export interface NodeInputsContext {
  file: DeploymentFile;
  yaml: YamlDocument;
  /** The images of the nodes; a node whose image has problems is missing. */
  images: ReadonlyMap<string, ResolvedImage>;
  /** The deployment's own parameters. */
  parameters: Readonly<Record<string, ParameterSpec>>;
  report: Reporter;
}

/** Checks the `parameters:` of all nodes against their images and each other, and resolves them by node. */
export function nodeInputs(context: NodeInputsContext): Map<string, Record<string, NodeParameter>> {
  const inputs = new Map<string, Record<string, NodeParameter>>();
  for (const [node, { parameters = {} }] of Object.entries(context.file.spec.nodes)) {
    const resolved: Record<string, NodeParameter> = {};
    for (const [name, written] of Object.entries(parameters)) {
      const path = ['spec', 'nodes', node, 'parameters', name];
      if (!checkTarget(context, node, name, path)) continue;
      const spec = context.images.get(node)?.parameters[name];
      const input =
        typeof written === 'object' && 'from' in written
          ? mapping(context, written.from, { node, name }, [...path, 'from'])
          : constant(
              context,
              typeof written === 'object' ? written.value : written,
              spec,
              typeof written === 'object' ? [...path, 'value'] : path,
            );
      if (input !== undefined) resolved[name] = input;
    }
    inputs.set(node, resolved);
  }
  checkCircles(context, inputs);
  return inputs;
}

function checkTarget({ images, report }: NodeInputsContext, node: string, name: string, path: Path): boolean {
  const image = images.get(node);
  if (image === undefined) return true;
  const spec = Object.hasOwn(image.parameters, name) ? image.parameters[name] : undefined;
  if (spec === undefined) {
    const inputs = Object.keys(image.parameters).filter((one) => !image.parameters[one]?.output);
    report(
      path,
      {
        message: `The image \`${image.module}\` of \`${node}\` has no parameter \`${name}\`.`,
        hint: suggest(name, inputs) ?? 'Declare it in the image.',
      },
      'key',
    );
    return false;
  }
  if (!spec.output) return true;
  report(path, { message: `\`${name}\` is an output of \`${image.module}\`: its scripts set it, a deployment cannot.` }, 'key');
  return false;
}

/** `apache:hostname`, checked against the node that it names. */
function mapping(
  { file, images, report }: NodeInputsContext,
  from: string,
  target: { node: string; name: string },
  path: Path,
): NodeParameter | undefined {
  const refuse = (finding: Finding): undefined => {
    report(path, finding);
    return undefined;
  };
  const key = parseKey(from);
  if (key?.kind === 'global')
    return refuse({
      message: '`ss:` parameters cannot be mapped.',
      hint: `Write the value \`\${{ parameters.${key.name} }}\`, or read \`${from}\` in the script.`,
    });
  if (key?.kind !== 'node' && key?.kind !== 'instance')
    return refuse({ message: `\`${from}\` is not \`node:parameter\`.`, hint: 'For example: apache:hostname' });
  const { nodes } = file.spec;
  if (!Object.hasOwn(nodes, key.node))
    return refuse({ message: `There is no node \`${key.node}\`.`, hint: suggest(key.node, Object.keys(nodes)) });
  if (nodeLevelNames.has(key.name))
    return refuse({
      message: `\`${key.name}\` belongs to the whole node and cannot be mapped.`,
      hint: `Read it in the script: \`ss-get ${key.node}:${key.name}\`.`,
    });
  const source = images.get(key.node);
  if (source !== undefined && !Object.hasOwn(source.parameters, key.name) && !instanceLevelNames.has(key.name)) {
    return refuse({
      message: `The node \`${key.node}\` has no parameter \`${key.name}\`: neither its image \`${source.module}\` nor the system declares it.`,
      hint: suggest(key.name, [...Object.keys(source.parameters), ...instanceLevelNames]),
    });
  }
  if (key.node === target.node && key.name === target.name) return refuse({ message: `\`${target.name}\` is mapped to itself.` });
  return { from };
}

/** A value of the file, or an expression in it, checked as far as that is possible before a run. */
function constant(
  { yaml, parameters, report }: NodeInputsContext,
  value: Scalar,
  spec: ParameterSpec | undefined,
  path: Path,
): NodeParameter | undefined {
  const text = scalarText(value, yaml.written(path));
  const found = expressionOf(text);
  if (found === undefined) {
    if (spec === undefined) return undefined;
    const checked = checkValue(spec, text);
    if ('value' in checked) return checked;
    report(path, {
      message: `\`${String(path.findLast((key) => key !== 'value'))}\` ${checked.message}.`,
      ...(checked.hint === undefined ? {} : { hint: checked.hint }),
    });
    return undefined;
  }
  if ('problem' in found) {
    report(path, found.problem);
    return undefined;
  }
  const problems = checkExpression(found.expression, Object.keys(parameters));
  for (const problem of problems) report(path, { message: problem.message, hint: problem.hint });
  return problems.length > 0 ? undefined : { expression: found.expression };
}

/** Mappings that only copy from each other would never get a value. */
function checkCircles({ report }: NodeInputsContext, inputs: ReadonlyMap<string, Record<string, NodeParameter>>): void {
  const next = (place: string): string | undefined => {
    const [node = '', name = ''] = place.split(':');
    const input = inputs.get(node)?.[name];
    if (input === undefined || !('from' in input)) return undefined;
    const key = parseKey(input.from);
    return key !== undefined && 'node' in key ? `${key.node}:${key.name}` : undefined;
  };
  const seen = new Set<string>();
  for (const [node, parameters] of inputs) {
    for (const name of Object.keys(parameters)) {
      const way: string[] = [];
      let place: string | undefined = `${node}:${name}`;
      while (place !== undefined && !seen.has(place)) {
        seen.add(place);
        way.push(place);
        place = next(place);
      }
      const turn = place === undefined ? -1 : way.indexOf(place);
      if (turn === -1) continue;
      const [first = '', ...rest] = way.slice(turn);
      const [at = '', parameter = ''] = first.split(':');
      report(['spec', 'nodes', at, 'parameters', parameter, 'from'], {
        message: `The mappings go in a circle: ${[first, ...rest, first].join(' ← ')}.`,
      });
    }
  }
}
