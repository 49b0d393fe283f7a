import type { SyntaxNode } from 'unbash';
import { type Argument, literal, noVariables } from './words.ts';

/** Whether a command may end its script well: what follows need not happen then. `exit 1` aborts the run. */
export function exits(name: string | undefined, words: readonly Argument[], inFunction: boolean): boolean {
  return (name === 'exit' || (name === 'return' && !inFunction)) && !isFailure(words[1]?.text);
}

/** A statement after which there is no run to speak of: `exit 1`, `ss-abort …`, `{ …; exit 1; }`. */
export function endsRun(node: SyntaxNode): boolean {
  if (node.type === 'BraceGroup') {
    const last = node.body.commands.at(-1);
    return (
      last !== undefined && endsRun(last.command) && node.body.commands.every(({ command }) => command === last.command || says(command))
    );
  }
  if (node.type !== 'Command') return false;
  const [first, ...others] = node.suffix.map((word) => (word.type === 'Word' ? literal(word, noVariables) : undefined));
  const name = node.name?.value;
  return name === 'ss-abort' ? ![first, ...others].includes('--cancel') : name === 'exit' && isFailure(first);
}

/** Does no more than tell people something. */
function says(node: SyntaxNode): boolean {
  return node.type === 'Command' && /^(echo|printf|cat|tail|logger|ss-display)$/.test(node.name?.value ?? '');
}

function isFailure(status: string | undefined): boolean {
  return /^\d+$/.test(status ?? '') && Number(status) % 256 !== 0;
}
