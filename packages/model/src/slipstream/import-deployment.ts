import type { DeploymentFile } from '../schema/deployment.ts';
import { labelPattern, nodeNamePattern, parameterNamePattern } from '../schema/names.ts';
import { dismissParameter, nameIn, type Note } from './import-parameters.ts';
import { parseUri, relativeTo } from './places.ts';
import { shown, type Element } from './xml.ts';

type Node = DeploymentFile['spec']['nodes'][string];

/**
 * @param folder the deployment's own, that references are relative to
 * @param isThere whether the module of a folder is imported, too
 */
export function importDeployment(root: Element, folder: string, note: Note, isThere: (folder: string) => boolean): DeploymentFile['spec'] {
  const nodes = new Map<string, Node>();
  for (const entry of root.child('nodes')?.children('entry') ?? []) {
    const key = entry.child('string')?.text();
    const element = entry.child('node');
    if (element === undefined) {
      if (key) note('nodes/entry/string', shown(key));
      continue;
    }
    const name = nameIn(element, key, 'nodes', note);
    if (!nodeNamePattern.test(name)) {
      note(`nodes/${name}`, 'its name');
      continue;
    }
    if (nodes.has(name)) {
      note(`nodes/${name} (another)`, shown(element.attribute('imageUri') ?? ''));
      element.dismiss();
      continue;
    }
    const node = importNode(element, folder, (field, value) => note(`nodes/${name}/${field}`, value), isThere);
    if (node !== undefined) nodes.set(name, node);
  }
  for (const target of root.child('targets')?.children('target') ?? []) {
    const name = target.attribute('name') ?? '';
    const text = target.text();
    if (text.trim() !== '') note(`targets/${name}`, shown(text));
  }
  return { nodes: Object.fromEntries(nodes) };
}

function importNode(element: Element, folder: string, note: Note, isThere: (folder: string) => boolean): Node | undefined {
  const uri = element.attribute('imageUri') ?? '';
  const image = parseUri(uri);
  if (image === undefined) {
    note('@imageUri', uri);
    return undefined;
  }
  if (image.version !== undefined) note('@imageUri (its version)', uri);
  // A copy of what the image is by itself.
  const copy = element.child('image');
  copy?.dismiss();
  if (copy !== undefined && !isThere(image.folder)) note('image', `a copy of ${uri}, which is not imported itself`);
  const cloud = element.attribute('cloudService');
  const isNamed = cloud !== undefined && cloud !== 'default';
  if (isNamed && !labelPattern.test(cloud)) note('@cloudService', cloud);
  const multiplicity = count(element, 'multiplicity', note);
  const failures = tolerated(element, multiplicity ?? 1, note);
  const parameters = importMappings(element, note);
  for (const entry of element.child('parameters')?.children('entry') ?? []) importOverride(entry, note);
  return {
    image: relativeTo(folder, image.folder),
    ...(multiplicity === undefined || multiplicity === 1 ? {} : { multiplicity }),
    ...(isNamed && labelPattern.test(cloud) ? { cloud } : {}),
    ...(failures === undefined || failures === 0 ? {} : { maxProvisioningFailures: failures }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  };
}

function importMappings(element: Element, note: Note): NonNullable<Node['parameters']> {
  const parameters = new Map<string, NonNullable<Node['parameters']>[string]>();
  for (const entry of element.child('parameterMappings')?.children('entry') ?? []) {
    const key = entry.child('string')?.text();
    const mapping = entry.child('parameter');
    if (mapping === undefined) {
      if (key) note('parameterMappings/entry/string', shown(key));
      continue;
    }
    const name = nameIn(mapping, key, 'parameterMappings', note);
    const text = mapping.child('value')?.text().trim() ?? '';
    const [, , constant] = /^(['"])([\s\S]*)\1$/.exec(text) ?? [];
    const isSource = /^\w+(\.\d+)?:\w[\w.-]*$/.test(text);
    const isExpression = constant?.includes('${{') === true;
    // Whether a constant is a password, the image's parameter says, which may be anywhere.
    const told = isSource ? text : '(a constant)';
    if (!parameterNamePattern.test(name) || isExpression || (constant === undefined && !isSource)) {
      note(`parameterMappings/${name}`, told);
    } else if (parameters.has(name)) note(`parameterMappings/${name} (another)`, told);
    else parameters.set(name, constant === undefined ? { from: text } : { value: constant });
    // All of this is said of the image's parameter.
    dismissParameter(mapping);
  }
  return Object.fromEntries(parameters);
}

/** What a node asks of its cloud. */
function importOverride(entry: Element, note: Note): void {
  const parameter = entry.child('parameter');
  const key = entry.child('string')?.text();
  if (parameter === undefined) {
    if (key) note('parameters/entry/string', shown(key));
    return;
  }
  const name = key ?? parameter.attribute('name') ?? '';
  const initial = parameter.child('defaultValue')?.text();
  const value = parameter.child('value')?.text() || initial;
  if (value) note(`parameters/${name}`, parameter.told(value));
  if (initial && initial !== value) note(`parameters/${name}/defaultValue`, parameter.told(initial));
  dismissParameter(parameter);
}

/** Of how many machines a node can do without: not of all. */
function tolerated(element: Element, multiplicity: number, note: Note): number | undefined {
  const failures = count(element, 'maxProvisioningFailures', note);
  if (failures === undefined || failures < Math.max(multiplicity, 1)) return failures;
  note('@maxProvisioningFailures', String(failures));
  return undefined;
}

function count(element: Element, name: string, note: Note): number | undefined {
  const text = element.attribute(name);
  if (text === undefined) return undefined;
  if (/^\d{1,4}$/.test(text)) return Number(text);
  note(`@${name}`, text);
  return undefined;
}
