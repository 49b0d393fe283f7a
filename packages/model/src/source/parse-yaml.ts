import { type Document, isScalar, parseAllDocuments, visit, type YAMLError } from 'yaml';
import { diagnose, type Diagnostic, type Finding } from './diagnostic.ts';
import type { Range, SourceText } from './source-text.ts';
import { yamlDocument, type YamlDocument } from './yaml-document.ts';

const mostAliases = 100;
const mostErrors = 3;
const mostDocuments = 500;

/** What the codes of the YAML parser mean to the writer of the file. */
const explained: Partial<Record<YAMLError['code'], Finding>> = {
  TAB_AS_INDENT: { message: 'A tab cannot indent YAML.', hint: 'Use spaces.' },
  BAD_INDENT: {
    message: 'The indentation does not fit the lines above.',
    hint: 'Keys of one map, and items of one list, start in the same column.',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'A value cannot hold another `key: value` on the same line.',
    hint: 'Quote a text that contains `: `, or put the map on its own lines.',
  },
  BAD_SCALAR_START: { message: 'A text cannot start with this character unless it is quoted.', hint: 'Quote it.' },
  NON_STRING_KEY: { message: 'A key must be a plain word.', hint: 'Quote a text that begins with `{` or `[`.' },
};

function explain({ code, message }: YAMLError): Finding {
  if (/^Missing closing ["']/.test(message)) return { message: 'A quoted text has no closing quote.' };
  if (message.startsWith('Implicit map keys need')) return { message: 'A key needs a `:` after it.' };
  return explained[code] ?? { message: `This is not YAML: ${message.split('\n')[0]}.` };
}

/** The documents of a file, and what is wrong with them; a document with errors is left out. */
export interface ParsedYaml {
  documents: YamlDocument[];
  problems: Diagnostic[];
}

/**
 * Parses the YAML of a file, which may hold several documents. Never throws: text that is too deep, too full of
 * aliases or not YAML at all is a problem like any other.
 */
export function parseYaml(source: SourceText): ParsedYaml {
  const problems: Diagnostic[] = [];
  const report = (range: Range, finding: Finding): void => void problems.push(diagnose(source, range, finding));
  const documents: YamlDocument[] = [];
  let parsed: Document[];
  try {
    // Looking for duplicate keys is quadratic in the parser, so it is done below.
    const all = parseAllDocuments(source.text, { prettyErrors: false, uniqueKeys: false, stringKeys: true });
    parsed = 'empty' in all ? [] : all.slice(0, mostDocuments);
  } catch {
    report([0, 0], { message: 'The YAML is nested too deeply.' });
    return { documents, problems };
  }
  for (const document of parsed) {
    const before = problems.length;
    const lines = new Set<number>();
    for (const error of document.errors) {
      // What follows the first error of a line is mostly its echo.
      const { line } = source.at(error.pos[0]);
      if (lines.has(line) || lines.size === mostErrors) continue;
      lines.add(line);
      report(error.pos, explain(error));
    }
    if (document.errors.length > 0 || document.contents === null || isEmpty(document)) continue;
    try {
      checkKeys(document, report);
      checkAliases(document, report);
      if (problems.length > before) continue;
      documents.push(yamlDocument(source, document, document.toJS({ maxAliasCount: mostAliases })));
    } catch (error) {
      report(firstAlias(document) ?? [0, 0], {
        message: error instanceof ReferenceError ? 'The aliases expand to far too much.' : 'The YAML is nested too deeply.',
        hint: 'Write the values out.',
      });
    }
  }
  if (parsed.length === mostDocuments) report([0, 0], { message: `A file can hold at most ${mostDocuments - 1} documents.` });
  if (documents.length === 0 && problems.length === 0) {
    report([0, 0], {
      message: 'The file is empty.',
      hint: 'It should begin with `apiVersion: paceline.dev/v1` and `kind:`. `paceline init` writes an example.',
    });
  }
  return { documents, problems };
}

/** Between `---` lines there may be nothing but comments. */
function isEmpty(document: Document): boolean {
  return isScalar(document.contents) && document.contents.value === null && !document.contents.source?.trim();
}

function checkKeys(document: Document, report: (range: Range, finding: Finding) => void): void {
  visit(document, {
    Map(_, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : undefined;
        const range: Range = isScalar(key) && key.range ? [key.range[0], key.range[1]] : [0, 0];
        if (name === undefined) continue;
        if (seen.has(name)) report(range, { message: `The key \`${name}\` is written twice.`, hint: 'Keep one of them.' });
        if (name === '__proto__') report(range, { message: '`__proto__` cannot be a name.' });
        seen.add(name);
      }
    },
  });
}

function checkAliases(document: Document, report: (range: Range, finding: Finding) => void): void {
  let count = 0;
  visit(document, {
    Alias(_, alias, ancestors) {
      const range: Range = alias.range ? [alias.range[0], alias.range[1]] : [0, 0];
      if (++count > mostAliases) {
        report(range, { message: `The file has more than ${mostAliases} aliases.`, hint: 'Write the values out.' });
        return visit.BREAK;
      }
      const target = alias.resolve(document);
      if (target === undefined)
        report(range, {
          message: `There is no anchor \`&${alias.source}\` before this alias.`,
          hint: 'Quote a text that begins with `*`.',
        });
      else if (ancestors.some((ancestor) => ancestor === target))
        report(range, { message: `The alias \`*${alias.source}\` contains itself.` });
      return undefined;
    },
  });
}

function firstAlias(document: Document): Range | undefined {
  let found: Range | undefined;
  visit(document, {
    Alias(_, alias) {
      if (alias.range) found = [alias.range[0], alias.range[1]];
      return visit.BREAK;
    },
  });
  return found;
}
