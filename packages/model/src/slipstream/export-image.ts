import { parseSize } from '../quantity/size.ts';
import type { ScriptPhase } from '../resolved/image.ts';
import type { ImageFile } from '../schema/image.ts';
import type { ParameterDeclarations, ParameterDetails } from '../schema/parameter.ts';
import { scriptNames } from './import-image.ts';
import type { Note } from './import-parameters.ts';
import type { Tag } from './xml-writer.ts';

const types: Record<NonNullable<ParameterDetails['type']>, string> = {
  string: 'String',
  text: 'Text',
  integer: 'String',
  number: 'String',
  boolean: 'Boolean',
  enum: 'Enum',
  password: 'Password',
};

export interface ImageToExport {
  spec: ImageFile['spec'];
  scripts: Partial<Record<ScriptPhase, string>>;
  /** `module/PATH` of the image that it extends. */
  parent: string | undefined;
}

/** @returns attributes and children of the module's element */
export function exportImage({ spec, scripts, parent }: ImageToExport, note: Note): Pick<Tag, 'attributes' | 'children'> {
  const clouds = Object.entries(spec.clouds ?? {}).map(([cloud, native]) => ({
    cloud,
    ...(typeof native === 'string' ? { image: native } : native),
  }));
  const [login, ...others] = new Set(clouds.flatMap((native) => native.login ?? []));
  for (const other of others) note('clouds', `login ${other}`);
  for (const port of spec.ports ?? []) note('ports', typeof port === 'object' ? `${port.port}/${port.protocol ?? 'tcp'}` : String(port));
  const entries = [...parameterEntries(spec.parameters ?? {}, note), ...sizeEntries(spec.resources ?? {})];
  const targets = scriptNames.flatMap(({ target, phase }): Tag[] => {
    const text = scripts[phase];
    return text === undefined ? [] : [{ name: 'target', attributes: { name: target }, text }];
  });
  const children: Tag[] = [
    { name: 'parameters', children: entries },
    { name: 'targets', children: targets },
    { name: 'packages', children: (spec.packages ?? []).map((name) => ({ name: 'package', attributes: { name } })) },
    {
      name: 'cloudImageIdentifiers',
      children: clouds.map(({ cloud, image }) => ({
        name: 'cloudImageIdentifier',
        attributes: { cloudServiceName: cloud, cloudImageIdentifier: image },
      })),
    },
  ];
  return {
    attributes: { isBase: String(parent === undefined), moduleReferenceUri: parent, loginUser: login },
    children: children.filter(({ children: inner = [] }) => inner.length > 0),
  };
}

/** @param note is told of what SlipStream's parameters cannot say */
export function parameterEntries(declared: ParameterDeclarations, note: Note): Tag[] {
  return Object.entries(declared).map(([name, written]) => {
    const details: ParameterDetails =
      typeof written === 'object' && written !== null ? written : written === null ? {} : { default: written };
    const { description, default: value, values, required, output } = details;
    const type = details.type ?? (values === undefined ? (typeof value === 'boolean' ? 'boolean' : 'string') : 'enum');
    for (const field of ['minimum', 'maximum', 'pattern'] as const) {
      if (details[field] !== undefined) note(`parameters/${name}/${field}`, String(details[field]));
    }
    if (type === 'integer' || type === 'number') note(`parameters/${name}/type`, type);
    if (details.secret === true && type !== 'password') note(`parameters/${name}/secret`, 'true');
    return {
      name: 'entry',
      children: [
        { name: 'string', text: name },
        {
          name: 'parameter',
          attributes: {
            name,
            category: output === true ? 'Output' : 'Input',
            type: types[type],
            mandatory: String(required === true),
            description,
          },
          children: [
            ...(values === undefined
              ? []
              : [{ name: 'enumValues', children: values.map((one) => ({ name: 'string', text: String(one) })) }]),
            ...(value === undefined ? [] : [{ name: 'value', text: String(value) }]),
          ],
        },
      ],
    };
  });
}

function sizeEntries({ cpus, memory, disk }: NonNullable<ImageFile['spec']['resources']>): Tag[] {
  const gigabytes = (size: string | undefined): number | undefined =>
    size === undefined ? undefined : (parseSize(size, 'MiB') ?? 0) / 1024;
  const sizes = { 'cpu.nb': cpus, 'ram.GB': gigabytes(memory), 'disk.GB': gigabytes(disk) };
  return Object.entries(sizes).flatMap(([name, value]): Tag[] =>
    value === undefined
      ? []
      : [
          {
            name: 'entry',
            children: [
              { name: 'string', text: name },
              {
                name: 'parameter',
                attributes: { name, category: 'Cloud', type: 'String' },
                children: [{ name: 'value', text: String(value) }],
              },
            ],
          },
        ],
  );
}
