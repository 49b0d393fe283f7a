import type { Command, Redirection } from 'unbash';
import type { Range } from '../source/source-text.ts';
import { type Argument, outline, outlineOf } from './words.ts';

/** They run what other people have written. */
const interpreters = new Set([
  ...['bash', 'sh', 'dash', 'ash', 'ksh', 'zsh', 'su', 'python', 'python2', 'python3', 'perl', 'ruby', 'node', 'php', 'tclsh', 'expect'],
  ...['ansible-playbook', 'puppet', 'chef-client', 'chef-solo', 'salt-call', 'make', 'npm', 'npx', 'java'],
]);
const shells = /^((ba|da|a|k|z)?sh|su)$/;
/** What they run may be on another machine. */
const remote = new Set(['ssh', 'rsh', 'pdsh', 'pssh', 'parallel-ssh', 'clush', 'ansible', 'ansible-playbook', 'salt']);
/** They look at their words, and run none of them. */
const inert = new Set([
  ...['echo', 'printf', 'which', 'type', 'hash', 'test', '[', 'ss-display', 'ss-abort', 'logger', 'grep', 'sed', 'cat'],
  ...['chmod', 'chown', 'cp', 'ln', 'ls', 'mkdir', 'mv', 'rm', 'touch'],
]);
const systemFolder = /^(\/usr)?(\/local)?\/s?bin\/|^\/etc\/init\.d\//;
/** Files that set up a shell and no more. */
const knownSource = /^(\/etc\/|\/opt\/slipstream\/|~\/\.|\/root\/\.|\$HOME\/\.)/;

const setCommand = /\bss-(set|random)\b/;

/** Names a command that gives parameters values. */
export function mentionsSet(text: string): boolean {
  return setCommand.test(text);
}

/** Whether the words of a command may be run by it; of `echo` they may be when something takes its output. */
export function isInert(name: string | undefined, command: Command, captured: boolean): boolean {
  if (name === undefined || !inert.has(name)) return false;
  return (name !== 'echo' && name !== 'printf') || !(captured || command.redirects.some(writesFile));
}

export function isRemote(name: string | undefined): boolean {
  return name !== undefined && remote.has(name);
}

/** Whether `sh -c TEXT` and its like run the text as a shell. */
export function isShell(name: string | undefined): boolean {
  return name !== undefined && shells.test(name);
}

/** Whether a command runs a program that may do anything. */
export function runsProgram(name: string | undefined, first: Argument | undefined): boolean {
  if (first === undefined) return false;
  const { text } = first;
  if (name === undefined || text === undefined || interpreters.has(name)) return true;
  return text.includes('/') && !systemFolder.test(text);
}

/** Whether the file of `. FILE` may do anything. */
export function isForeignSource(file: Argument | undefined): boolean {
  return !knownSource.test(file?.word.text.replaceAll('"', '') ?? '');
}

/** Whether something written there can be run later. */
export function writesFile(redirect: Redirection): boolean {
  if (redirect.type !== 'Redirect' || !redirect.operator.includes('>')) return false;
  return !/^(\d+|-|\/dev\/\w+)$/.test(redirect.target?.text ?? '');
}

/** Texts that hold commands: words with spaces in them, here-documents. */
export function textsOf(words: readonly Argument[], command: Command, inertWords: boolean): { text: string; place: Range }[] {
  const ofWords = words.slice(1).flatMap(({ word }) => {
    const text = outline(word);
    return !inertWords && /\s/.test(text) ? [{ text, place: [word.pos, word.end] as const }] : [];
  });
  const ofDocuments = command.redirects.flatMap((redirect) => {
    if (redirect.type === 'HereString' && redirect.target !== undefined)
      return [{ text: outline(redirect.target), place: [redirect.pos, redirect.end] as const }];
    if (redirect.type !== 'HereDoc') return [];
    const { parts, text } = redirect.body;
    // Its substitutions happen at once; the rest is for later.
    return [{ text: parts === undefined ? text : outlineOf(parts), place: [redirect.pos, redirect.end] as const }];
  });
  return [...ofWords, ...ofDocuments];
}
