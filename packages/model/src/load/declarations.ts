import { checkValue } from '../parameters/value.ts';
import { Pattern } from '../pattern/pattern.ts';
import type { ParameterSpec } from '../resolved/parameter.ts';
import type { ParameterDeclarations, ParameterDetails, Scalar } from '../schema/parameter.ts';
import type { YamlDocument } from '../source/yaml-document.ts';
import type { Reporter } from './reporter.ts';

/** `8080`, `true`, `abc` alone is a default; nothing at all is a text without one. */
function detailsOf(declaration: Scalar | null | ParameterDetails): ParameterDetails {
  if (declaration === null) return {};
  return typeof declaration === 'object' ? declaration : { default: declaration };
}

/**
 * A scalar as text. Numbers keep their spelling (`3.10` is not `3.1`) unless the parameter is a number; that is what
 * people mean by an unquoted version.
 */
export function scalarText(value: Scalar, written: string | undefined): string {
  return typeof value === 'number' && written !== undefined ? written : String(value);
}

/**
 * Turns the `parameters:` of a module into specifications. What is written here overrides what was inherited, field
 * by field, so `port: 9090` in a child keeps the type that its ancestor declared.
 */
export function resolveDeclarations(
  declarations: ParameterDeclarations,
  inherited: Readonly<Record<string, ParameterSpec>>,
  yaml: YamlDocument,
  report: Reporter,
): Record<string, ParameterSpec> {
  const resolved: Record<string, ParameterSpec> = { ...inherited };
  for (const [name, declaration] of Object.entries(declarations)) {
    const path = ['spec', 'parameters', name];
    const long = typeof declaration === 'object' && declaration !== null;
    const details = detailsOf(declaration);
    const parent = Object.hasOwn(inherited, name) ? inherited[name] : undefined;
    const textAt = (value: Scalar, ...keys: PropertyKey[]): string => scalarText(value, yaml.written([...path, ...keys]));

    const { default: initial, values, type, ...rest } = details;
    const defaultText = initial === undefined ? undefined : long ? textAt(initial, 'default') : textAt(initial);
    const spec: ParameterSpec = {
      ...parent,
      ...withoutUndefined(rest),
      type: type ?? parent?.type ?? inferType(details, defaultText),
      ...(values === undefined ? {} : { values: values.map((value, index) => textAt(value, 'values', index)) }),
      ...(defaultText === undefined ? {} : { default: defaultText }),
    };
    const at = (field: string): PropertyKey[] => (long && Object.hasOwn(details, field) ? [...path, field] : path);
    resolved[name] = checkSpec(name, spec, (field, message, hint) => report(at(field), { message, hint }));
  }
  return resolved;
}

function inferType({ values, default: initial }: ParameterDetails, text: string | undefined): ParameterSpec['type'] {
  if (values !== undefined) return 'enum';
  if (typeof initial === 'boolean') return 'boolean';
  if (typeof initial !== 'number' || text === undefined) return 'string';
  if (/^[+-]?\d+$/.test(text)) return /^[+-]?0\d/.test(text) ? 'string' : 'integer';
  return String(initial) === text ? 'number' : 'string';
}

function checkSpec(
  name: string,
  spec: ParameterSpec,
  report: (field: keyof ParameterSpec, message: string, hint?: string) => void,
): ParameterSpec {
  const numeric = spec.type === 'integer' || spec.type === 'number';
  if (spec.type === 'enum' && spec.values === undefined)
    report('type', `\`${name}\` is an enum without \`values\`.`, 'List the allowed values: `values: [small, large]`.');
  if (spec.type !== 'enum' && spec.values !== undefined)
    report('values', `Only an enum has \`values\`; \`${name}\` is of type ${spec.type}.`, 'Write `type: enum`.');
  for (const limit of ['minimum', 'maximum'] as const) {
    if (!numeric && spec[limit] !== undefined)
      report(limit, `Only numbers have a \`${limit}\`; \`${name}\` is of type ${spec.type}.`, 'Write `type: integer` or `type: number`.');
  }
  if (spec.minimum !== undefined && spec.maximum !== undefined && spec.minimum > spec.maximum) {
    report('minimum', `No number fits \`${name}\`: the minimum ${spec.minimum} is more than the maximum ${spec.maximum}.`);
  }
  if (spec.output && spec.required)
    report('required', `\`${name}\` is set by a script (\`output\`), so it cannot be \`required\` from the user.`);
  if (spec.pattern !== undefined) {
    try {
      void new Pattern(spec.pattern);
    } catch (error) {
      report('pattern', `The pattern of \`${name}\` cannot be used: ${(error as Error).message}.`);
      const { pattern: _, ...rest } = spec;
      return rest;
    }
  }
  if (spec.default === undefined) return spec;
  const checked = checkValue(spec, spec.default);
  if ('value' in checked) return { ...spec, default: checked.value };
  report('default', `The default of \`${name}\` ${checked.message}.`, checked.hint);
  const { default: _, ...rest } = spec;
  return rest;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(value: T): Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<Defined<T>>;
}
