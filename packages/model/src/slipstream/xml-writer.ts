/** An element to write: attributes that are undefined are left out. */
export interface Tag {
  name: string;
  attributes?: Readonly<Record<string, string | undefined>>;
  children?: readonly Tag[];
  text?: string;
}

/** XML that comes back as it was: also line ends and white space of scripts. */
export function writeXml(tag: Tag): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(tag, '')}\n`;
}

function element({ name, attributes = {}, children = [], text }: Tag, indent: string): string {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const head = `${indent}<${name}${given.map(([key, value]) => ` ${key}="${quoted(value ?? '')}"`).join('')}`;
  if (text !== undefined) return `${head}>${escaped(text)}</${name}>`;
  if (children.length === 0) return `${head}/>`;
  return `${head}>\n${children.map((child) => element(child, `${indent}  `)).join('\n')}\n${indent}</${name}>`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>\r]/g, (character) => entities[character] ?? character);
}

function quoted(text: string): string {
  return text.replaceAll(/[&<>"\r\n\t]/g, (character) => entities[character] ?? character);
}

/** XML has no way to say most control characters. */
export function canBeWritten(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(text) && text.isWellFormed();
}
