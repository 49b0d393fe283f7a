import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import type { Range, SourceText } from './source-text.ts';

export type Path = readonly PropertyKey[];

/** One YAML document of a file: its plain value, and where each part of it is written. */
export interface YamlDocument {
  source: SourceText;
  value: unknown;
  /** Where the value at a path is written; of what is missing, the nearest that is there. */
  rangeOf(path: Path): Range;
  /** Where the key of the value at a path is written. */
  rangeOfKey(path: Path): Range;
  /** A scalar as it is written (`3.10` stays `3.10`), undefined when there is none at the path. */
  written(path: Path): string | undefined;
}

const nodeRange = (node: unknown): Range | undefined => {
  const range = (node as Node | null | undefined)?.range;
  return range ? [range[0], range[1]] : undefined;
};

function pairOf(map: YAMLMap, key: PropertyKey): Pair | undefined {
  return map.items.find((pair) => (isScalar(pair.key) ? String(pair.key.value) : String(pair.key)) === String(key));
}

/** Wraps a parsed document that has no errors. */
export function yamlDocument(source: SourceText, document: Document, value: unknown): YamlDocument {
  const walk = (path: Path): { node: unknown; pair: Pair | undefined; depth: number } => {
    let node: unknown = document.contents;
    let pair: Pair | undefined;
    for (const [depth, key] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      let next: unknown;
      if (isMap(node)) {
        const found = pairOf(node, key);
        if (found === undefined) return { node, pair, depth };
        pair = found;
        next = found.value;
      } else if (isSeq(node)) {
        next = node.items[Number(key)];
        pair = undefined;
      }
      if (next === undefined) return { node, pair, depth };
      node = next;
    }
    return { node, pair, depth: path.length };
  };
  const start: Range = [0, 0];

  const rangeOfKey = (path: Path): Range => {
    const { node, pair } = walk(path);
    return nodeRange(pair?.key) ?? beginning(node) ?? start;
  };
  return {
    source,
    value,
    rangeOfKey,
    rangeOf(path) {
      const { node, pair, depth } = walk(path);
      if (depth < path.length || isMap(node) || isSeq(node)) return nodeRange(pair?.key) ?? beginning(node) ?? start;
      const range = nodeRange(node) ?? start;
      return range[0] === range[1] ? (nodeRange(pair?.key) ?? range) : range;
    },
    written(path) {
      const { node, depth } = walk(path);
      if (depth < path.length || !isScalar(node)) return undefined;
      return node.source ?? String(node.value);
    },
  };
}

/** A map is shown by its first key: carets under all its lines would say nothing. */
function beginning(node: unknown): Range | undefined {
  const range = nodeRange(node);
  if (isMap(node)) return nodeRange(node.items[0]?.key) ?? range;
  return range && isSeq(node) ? [range[0], range[0] + 1] : range;
}
