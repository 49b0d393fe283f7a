import { parameterNamePattern } from '../schema/names.ts';
import { nodeLevelNames } from '../parameters/system.ts';
import type { ParameterDetails } from '../schema/parameter.ts';
import type { ImageFile } from '../schema/image.ts';
import { shown, type Element } from './xml.ts';

type Details = Record<string, ParameterDetails>;
type Resources = NonNullable<ImageFile['spec']['resources']>;

export type Note = (field: string, value: string) => void;

/** What every machine has anyway. */
const builtIn = new Set(['hostname', 'instanceid']);
const sizes = new Map<string, [keyof Resources, (value: number) => Resources[keyof Resources]]>([
  ['cpu.nb', ['cpus', (value) => value]],
  ['ram.GB', ['memory', (value) => `${value}GiB`]],
  ['disk.GB', ['disk', (value) => `${value}GiB`]],
]);
const types = new Map<string, ParameterDetails['type']>([
  ['String', 'string'],
  ['Text', 'text'],
  ['Password', 'password'],
  ['Boolean', 'boolean'],
  ['Enum', 'enum'],
  ['RestrictedString', 'string'],
  ['RestrictedText', 'text'],
  ['Hidden', 'string'],
]);

/** Reads the parameters of an image: inputs and outputs, and what its machines need. */
export function importParameters(parent: Element, note: Note): { parameters: Details; resources: Resources } {
  const parameters = new Map<string, ParameterDetails>();
  const resources: Resources = {};
  for (const entry of parent.child('parameters')?.children('entry') ?? []) {
    const key = entry.child('string')?.text();
    const element = entry.child('parameter');
    if (element === undefined) {
      if (key) note('parameters/entry/string', shown(key));
      continue;
    }
    const name = nameIn(element, key, 'parameters', note);
    const category = element.attribute('category') ?? 'Input';
    for (const one of ['isSet', 'type']) element.attribute(one);
    const value = element.child('value')?.text() || undefined;
    const initial = element.child('defaultValue')?.text() || undefined;
    const size = sizes.get(name);
    if (category === 'Input' || category === 'Output') {
      const isOurs = parameterNamePattern.test(name) && !nodeLevelNames.has(name);
      if (builtIn.has(name) && category === 'Output') {
        if (value !== undefined) note(`parameters/${name}/value`, element.told(value));
        else if (initial !== undefined) note(`parameters/${name}/defaultValue`, element.told(initial));
        dismissParameter(element);
      } else if (parameters.has(name)) {
        note(`parameters/${name} (another)`, element.told(value ?? initial ?? ''));
        dismissParameter(element);
      } else if (isOurs) parameters.set(name, detailsOf(element, name, category === 'Output', value ?? initial, note));
      else note(`parameters/${name}`, element.told(value ?? initial ?? ''));
      if (value !== undefined && initial !== undefined && value !== initial) note(`parameters/${name}/defaultValue`, element.told(initial));
    } else {
      const [resource, sizeOf] = size ?? [];
      const isSize = resource !== undefined && resources[resource] === undefined && Number(value) > 0;
      if (isSize) Object.assign(resources, { [resource]: sizeOf?.(Number(value)) });
      // Otherwise it is the form of a cloud, perhaps without a word in it.
      const rest = isSize ? (initial === value ? undefined : initial) : (value ?? initial);
      if (rest !== undefined) note(`parameters/${name} (${category})`, element.told(rest));
      dismissParameter(element);
    }
  }
  return { parameters: Object.fromEntries(parameters), resources };
}

/** What it is called, in its place and by itself: the same, if all is well. */
export function nameIn(element: Element, key: string | undefined, place: string, note: Note): string {
  const name = element.attribute('name') ?? key ?? '';
  if (key && key !== name) note(`${place}/${name} (its key)`, shown(key));
  return name;
}

/** What SlipStream says of every parameter is not worth a word; anything else is. */
export function dismissParameter(element: Element): void {
  for (const name of ['name', 'category', 'type', 'mandatory', 'readonly', 'isSet', 'order', 'description', 'isMappedValue'])
    element.attribute(name);
  for (const name of ['value', 'defaultValue', 'instructions']) element.child(name)?.text();
  for (const one of element.child('enumValues')?.children('string') ?? []) one.text();
}

function detailsOf(element: Element, name: string, output: boolean, value: string | undefined, note: Note): ParameterDetails {
  const written = element.attribute('type') ?? 'String';
  const type = types.get(written) ?? 'string';
  if (!['String', 'Text', 'Password', 'Boolean', 'Enum'].includes(written)) note(`parameters/${name}/@type`, written);
  const values = (element.child('enumValues')?.children('string') ?? []).map((one) => one.text());
  const description = [element.attribute('description'), element.child('instructions')?.text()].filter(Boolean).join('\n\n');
  const order = element.attribute('order');
  if (order !== undefined && order !== '0' && order !== '2147483647') note(`parameters/${name}/@order`, order);
  if (element.attribute('readonly') === 'true') note(`parameters/${name}/@readonly`, 'true');
  const required = element.attribute('mandatory') === 'true';
  if (required && output) note(`parameters/${name}/@mandatory`, 'true');
  const isEnum = type === 'enum' && values.length > 0;
  const first = value !== undefined && allowed(type, values, value) ? value : undefined;
  if (value !== undefined && first === undefined) note(`parameters/${name}/value`, element.told(value));
  if (type === 'enum' && !isEnum) note(`parameters/${name}/@type`, 'Enum without values');
  return {
    type: type === 'enum' && !isEnum ? 'string' : (type ?? 'string'),
    ...(description === '' ? {} : { description }),
    ...(isEnum ? { values } : {}),
    ...(first === undefined ? {} : { default: type === 'boolean' ? first === 'true' : first }),
    ...(required && !output ? { required: true } : {}),
    ...(output ? { output: true } : {}),
  };
}

function allowed(type: ParameterDetails['type'], values: readonly string[], value: string): boolean {
  if (type === 'boolean') return value === 'true' || value === 'false';
  return type !== 'enum' || values.length === 0 || values.includes(value);
}
