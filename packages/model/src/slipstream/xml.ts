import { PacelineError, toError } from '../errors/paceline-error.ts';

/** Something of SlipStream that has no place in a module file, or the other way round. */
export interface Unmapped {
  /** The module that it was said of. */
  module: string;
  /** Such as `authz/@owner`, or `nodes/web/network`. */
  field: string;
  /** What it said, shortened. */
  value: string;
}

/** An element that remembers what of it has been read: the rest is what has not been mapped. */
export interface Element {
  readonly name: string;
  /** Empty text counts as absent: SlipStream writes attributes that it has no value for. */
  attribute(name: string): string | undefined;
  child(name: string): Element | undefined;
  children(name: string): Element[];
  /** All the text in it, exactly. */
  text(): string;
  /** Nothing of it is worth a word. */
  dismiss(): void;
  /** What nobody has read, with its place and value; of passwords only the place. */
  rest(): { field: string; value: string }[];
  /** A text of it as it may be told: whoever reads what an import says need not know the passwords. */
  told(text: string): string;
}

const largest = 16 * 1024 * 1024;
const deepest = 64;
const longestShown = 80;

/**
 * Reads an XML document. Entities beyond those of XML itself are refused, as is every document type.
 * @throws PACELINE_MODULE_INVALID
 */
export async function readXml(file: string, text: string): Promise<Element> {
  const refuse = (message: string): never => {
    throw new PacelineError('PACELINE_MODULE_INVALID', `${file}: ${message}`, { hint: 'It should be the XML of a SlipStream module.' });
  };
  if (text.length > largest) refuse(`is larger than ${largest / 1024 / 1024} MiB`);
  if (hasDocumentType(text)) refuse('has a document type, which no module of SlipStream has');
  // Loaded when it is needed: few people import.
  const { DOMParser } = await import('@xmldom/xmldom');
  try {
    const parser = new DOMParser({
      // As XML 1.0 does it: of other characters that end lines, scripts may be full.
      normalizeLineEndings: (source) => source.replaceAll(/\r\n?/g, '\n'),
      onError: (_level, message) => {
        throw new Error(message);
      },
    });
    const root = parser.parseFromString(text.replace(/^\ufeff/, ''), 'text/xml').documentElement;
    if (root === null) return refuse('has no element');
    return elementOf(root, 0, refuse);
  } catch (error) {
    return refuse(toError(error).message.replaceAll('\n', ' '));
  }
}

/** Whether one stands before the first element, where alone it may: scripts write pages that have one. */
function hasDocumentType(text: string): boolean {
  const aside = /\s*(?:<\?[^]*?\?>|<!--[^]*?-->)/y;
  let at = 0;
  while (aside.test(text)) at = aside.lastIndex;
  const type = /\s*<!DOCTYPE/iy;
  type.lastIndex = at;
  return type.test(text);
}

/** The little of the DOM that is looked at. */
interface Node {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly childNodes: Iterable<Node>;
  readonly attributes?: Iterable<{ name: string; value: string }>;
}

/** @param isSecret it is within a password */
function elementOf(node: Node, depth: number, refuse: (message: string) => never, isSecret = false): Element {
  if (depth > deepest) refuse(`is nested more than ${deepest} deep`);
  const attributes = new Map([...(node.attributes ?? [])].map(({ name, value }) => [name, value]));
  const isPassword = isSecret || /^password$/i.test(attributes.get('type') ?? '');
  const told = (text: string): string => (isPassword ? '(a password)' : shown(text));
  const nodes = [...node.childNodes];
  const elements = nodes.filter(({ nodeType }) => nodeType === 1).map((child) => elementOf(child, depth + 1, refuse, isPassword));
  const own = nodes
    .filter(({ nodeType }) => nodeType === 3 || nodeType === 4)
    .map(({ nodeValue }) => nodeValue ?? '')
    .join('');
  const read = new Set<string | Element>();
  const element: Element = {
    name: node.nodeName,
    attribute(name) {
      read.add(`@${name}`);
      return attributes.get(name) || undefined;
    },
    child: (name) => element.children(name)[0],
    children(name) {
      const found = elements.filter((child) => child.name === name);
      for (const child of found) read.add(child);
      return found;
    },
    text() {
      read.add('text');
      return own;
    },
    dismiss() {
      for (const name of attributes.keys()) read.add(`@${name}`);
      for (const child of elements) {
        read.add(child);
        child.dismiss();
      }
      read.add('text');
    },
    rest() {
      const left = [...attributes].filter(([name, value]) => value !== '' && !read.has(`@${name}`));
      const text = own.trim() === '' || read.has('text') ? [] : [{ field: '', value: told(own) }];
      return [
        ...left.map(([name, value]) => ({ field: `@${name}`, value: /value$/i.test(name) ? told(value) : shown(value) })),
        ...text,
        ...elements.flatMap((child) => child.rest().map(({ field, value }) => ({ field: joined(child.name, field), value }))),
      ];
    },
    told,
  };
  return element;
}

function joined(name: string, field: string): string {
  return field === '' ? name : `${name}/${field}`;
}

export function shown(value: string): string {
  const line = value.trim().replaceAll(/\s+/g, ' ');
  return line.length > longestShown ? `${line.slice(0, longestShown)}…` : line;
}
