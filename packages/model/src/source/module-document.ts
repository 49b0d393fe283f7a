import type { DeploymentFile } from '../schema/deployment.ts';
import type { ImageFile } from '../schema/image.ts';
import { type ModuleKind, moduleSchemas } from '../schema/json-schemas.ts';
import { apiVersion } from '../schema/metadata.ts';
import type { ProjectFile } from '../schema/project.ts';
import { closest } from '../parameters/suggestion.ts';
import { diagnose, type Diagnostic, type Finding, sortDiagnostics } from './diagnostic.ts';
import { parseYaml } from './parse-yaml.ts';
import { describe, schemaProblems } from './schema-problems.ts';
import type { SourceText } from './source-text.ts';
import type { Path, YamlDocument } from './yaml-document.ts';

interface Parts {
  yaml: YamlDocument;
}

/** A document that follows its schema. `yaml` tells where each part is written. */
export type ModuleDocument =
  | (Parts & { kind: 'Image'; content: ImageFile })
  | (Parts & { kind: 'Deployment'; content: DeploymentFile })
  | (Parts & { kind: 'Project'; content: ProjectFile });

export interface ParsedModules {
  documents: ModuleDocument[];
  problems: Diagnostic[];
}

/** More would not be read, and a hostile file could have very many. */
const mostIssues = 20;

const kinds = Object.keys(moduleSchemas);

/** Reads the text of a module file and checks every document in it against its schema. Never throws. */
export function parseModules(source: SourceText): ParsedModules {
  const { documents, problems } = parseYaml(source);
  const modules: ModuleDocument[] = [];
  for (const yaml of documents) {
    const found = readDocument(yaml);
    if ('document' in found) modules.push(found.document);
    else problems.push(...found.problems);
  }
  return { documents: modules, problems: sortDiagnostics(problems) };
}

function readDocument(yaml: YamlDocument): { document: ModuleDocument } | { problems: Diagnostic[] } {
  const problem = (path: Path, finding: Finding): Diagnostic => diagnose(yaml.source, yaml.rangeOf(path), finding);
  const { value } = yaml;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      problems: [
        problem([], {
          message: `A module is a map that begins with \`apiVersion: ${apiVersion}\`, not ${describe(value)}.`,
        }),
      ],
    };
  }
  const head = value as { apiVersion?: unknown; kind?: unknown };
  const problems: Diagnostic[] = [];
  if (head.apiVersion !== apiVersion) problems.push(problem(['apiVersion'], wrongVersion(head.apiVersion)));
  if (typeof head.kind !== 'string' || !kinds.includes(head.kind)) {
    problems.push(problem(['kind'], wrongKind(head.kind)));
    return { problems };
  }
  const kind = head.kind as ModuleKind;
  // The version was looked at above: do not report it twice.
  const result = moduleSchemas[kind].safeParse({ ...head, apiVersion });
  if (!result.success) {
    for (const { path, at, meant: _, ...finding } of schemaProblems(moduleSchemas[kind], value, result.error.issues.slice(0, mostIssues))) {
      problems.push(diagnose(yaml.source, at === 'key' ? yaml.rangeOfKey(path) : yaml.rangeOf(path), finding));
    }
  }
  if (problems.length > 0 || !result.success) return { problems };
  return { document: { kind, content: result.data, yaml } as ModuleDocument };
}

function wrongVersion(version: unknown): Finding {
  const hint = `Write \`apiVersion: ${apiVersion}\`.`;
  if (version === undefined) return { message: '`apiVersion` is missing.', hint };
  return { message: `This \`apiVersion\` is not known: ${describe(version)}.`, hint };
}

function wrongKind(kind: unknown): Finding {
  if (kind === undefined) return { message: '`kind` is missing.', hint: `One of: ${kinds.join(', ')}.` };
  if (typeof kind !== 'string') return { message: `\`kind\` must be one of ${kinds.join(', ')}, not ${describe(kind)}.` };
  const near = closest(kind, kinds);
  return {
    message: `There is no kind ${describe(kind)}.`,
    hint: near === undefined ? `One of: ${kinds.join(', ')}.` : `Did you mean \`${near}\`?`,
  };
}
