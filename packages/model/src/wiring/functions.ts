import { forEachChild, type SyntaxNode } from 'unbash';

/** The bodies of a script's functions by name; several where one is defined several times. */
export type Functions = ReadonlyMap<string, readonly SyntaxNode[]>;

/** Finds every function that a script defines, wherever it does. */
export function functionsIn(script: SyntaxNode): Functions {
  const found = new Map<string, SyntaxNode[]>();
  visit(script, (node) => {
    if (node.type === 'Function') found.set(node.name.value, [...(found.get(node.name.value) ?? []), node.body]);
  });
  return found;
}

/** Whether `$1` means something else at the end of a function than at its beginning. */
export function changesArguments(body: SyntaxNode): boolean {
  return some(body, (node) => node.type === 'Command' && /^(shift|getopts|set)$/.test(node.name?.value ?? ''));
}

/** Whether a variable gets another value somewhere below. */
export function changesVariable(body: SyntaxNode, name: string): boolean {
  return some(
    body,
    (node) =>
      (node.type === 'Assignment' && node.name === name) ||
      (node.type === 'For' && node.name.value === name) ||
      (node.type === 'Command' &&
        /^(read|readarray|mapfile|printf|unset|local|declare|typeset|getopts|eval)$/.test(node.name?.value ?? '') &&
        node.suffix.some((word) => word.type === 'Word' && (word.value === name || node.name?.value === 'eval'))),
  );
}

/** The same test, which looks at each node once. */
export function memoized<N extends SyntaxNode>(test: (node: N) => boolean): (node: N) => boolean {
  const known = new WeakMap<N, boolean>();
  return (node) => {
    const result = known.get(node) ?? test(node);
    known.set(node, result);
    return result;
  };
}

/** How many substitutions a node has, those within others not counted. */
export function substitutionsIn(node: SyntaxNode): number {
  let count = 0;
  forEachChild(node, (child) => {
    count += child.type === 'Script' ? 1 : substitutionsIn(child);
  });
  return count;
}

function some(node: SyntaxNode, test: (node: SyntaxNode) => boolean): boolean {
  let found = false;
  visit(node, (one) => {
    found ||= test(one);
  });
  return found;
}

function visit(node: SyntaxNode, look: (node: SyntaxNode) => void): void {
  look(node);
  forEachChild(node, (child) => visit(child, look));
}
