import type { Redirection, SyntaxNode } from 'unbash';
import type { Range } from '../source/source-text.ts';
import type { Flow, UnreadSets } from './flow.ts';
import { noVariables, type Variables } from './words.ts';

/** Where the reader is: in a branch, in a place where failure is handled, in which function. */
export interface Scope {
  conditional: boolean;
  tolerant: boolean;
  possible: boolean;
  /** Neither in a branch nor in a function, a loop, a subshell or a job in the background. */
  straight: boolean;
  /** How a command ends decides how the statement does. */
  decisive: boolean;
  /** What follows when the statement fails: `|| exit 1`. */
  orExit: boolean;
  background: boolean;
  /** Something takes the output. */
  captured: boolean;
  variables: Variables;
  /** Names of the functions that are being read: a function that calls itself is read once. */
  functions: readonly string[];
  /** The range that stands for everything below, where offsets are those of another text. */
  place: Range | undefined;
}

/** Where a script begins. */
export const outside: Scope = {
  conditional: false,
  tolerant: false,
  possible: false,
  straight: true,
  decisive: true,
  orExit: false,
  background: false,
  captured: false,
  variables: noVariables,
  functions: [],
  place: undefined,
};

/** Something that cannot be read, by what it may set. */
export const unread: Readonly<Record<UnreadSets, Flow>> = {
  'hardly-own': { kind: 'unread', sets: 'hardly-own' },
  'hardly-any': { kind: 'unread', sets: 'hardly-any' },
  own: { kind: 'unread', sets: 'own' },
  any: { kind: 'unread', sets: 'any' },
};
/** Where the children of a node are. */
export function within(node: SyntaxNode, scope: Scope): Scope {
  switch (node.type) {
    case 'ProcessSubstitution':
      return { ...scope, straight: false, decisive: false };
    case 'ArrayValue':
      return { ...scope, decisive: false };
    // `${x:-$(ss-get y)}`
    case 'Default':
      return { ...scope, conditional: true, straight: false, decisive: false };
    default:
      return scope;
  }
}

/** `&>` sends both outputs to a file in one shell, and the command into the background in another. */
export function isAmbiguous(redirect: Redirection): boolean {
  return redirect.type === 'Redirect' && redirect.operator.startsWith('&>');
}
