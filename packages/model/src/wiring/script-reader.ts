import {
  type AndOr,
  type Case,
  type Command,
  type CompoundList,
  type For,
  forEachChild,
  type If,
  parse,
  type ParsedScript as Tree,
  type Pipeline,
  type Statement,
  type SyntaxNode,
} from 'unbash';
import type { Range } from '../source/source-text.ts';
import { baseName, unwrap } from './command-line.ts';
import { endsRun, exits } from './endings.ts';
import { callsOf, choice, type Flow, isSet, nothing, sequence } from './flow.ts';
import { changesArguments, changesVariable, type Functions, functionsIn, memoized, substitutionsIn } from './functions.ts';
import { isForeignSource, isInert, isRemote, isShell, mentionsSet, runsProgram, textsOf, writesFile } from './other-command.ts';
import { isAmbiguous, outside, type Scope, unread, within } from './reader-scope.ts';
import { changeOptions, type ShellOptions } from './shell-options.ts';
import { commandName, readCall } from './ss-call.ts';
import { argumentsOf, type Argument, expand, outline } from './words.ts';

/** A part of a script that the check cannot see into. */
export interface Blind {
  range: Range;
  message: string;
}

const ssCommand = /\bss-(get|set|random|get-all|wait)\b/;
/** Enough for any script; functions that call each other could unfold a hostile one without end. */
const mostSteps = 50_000;

/** Walks the tree of a script and writes down the calls of `ss-*` commands in the order in which they happen. */
export class ScriptReader {
  readonly notChecked: Blind[] = [];
  readonly #script: Tree;
  readonly #functions: Functions;
  readonly #shifts = memoized(changesArguments);
  readonly #changesIn = memoized(({ name, body }: For) => changesVariable(body, name.value));
  #options: ShellOptions;
  /** The script may have ended before, or end in another way than it seems. */
  #loose: boolean;
  #steps = 0;

  constructor(script: Tree, options: ShellOptions) {
    this.#script = script;
    this.#functions = functionsIn(script);
    this.#options = options;
    this.#loose = (script.errors?.length ?? 0) > 0;
  }

  read(): Flow {
    return this.#statements(this.#script.commands, outside);
  }

  #statements(statements: readonly Statement[], scope: Scope): Flow {
    return sequence(
      statements.map(({ command, background }) => {
        if (background !== true) return this.#node(command, scope);
        const body = this.#node(command, { ...scope, straight: false, background: true });
        return body === nothing ? nothing : { kind: 'background', body };
      }),
    );
  }

  #list(list: CompoundList, scope: Scope): Flow {
    return this.#statements(list.commands, scope);
  }

  #node(node: SyntaxNode, scope: Scope): Flow {
    if (++this.#steps > mostSteps) return unread.own;
    const maybe = { ...scope, conditional: true, straight: false };
    switch (node.type) {
      case 'Command':
        return this.#command(node, scope);
      case 'Pipeline':
        return this.#pipeline(node, scope);
      case 'AndOr':
        return this.#andOr(node, scope);
      case 'If':
        return this.#if(node, scope);
      case 'Case':
        return this.#case(node, scope);
      case 'For':
        return this.#for(node, scope);
      case 'While':
        return sequence([this.#list(node.clause, { ...scope, tolerant: true, straight: false }), this.#list(node.body, maybe)]);
      case 'Select':
      case 'ArithmeticFor':
        return this.#list(node.body, maybe);
      case 'Subshell':
        return this.#list(node.body, { ...scope, straight: false });
      case 'BraceGroup':
        return this.#list(node.body, scope);
      case 'CompoundList':
        return this.#list(node, scope);
      case 'Redirected': {
        const inner = { ...scope, captured: scope.captured || node.redirects.some(writesFile) };
        return sequence([
          ...node.redirects.map((redirect) => this.#expansions(redirect, { ...scope, decisive: false })),
          this.#node(node.command, node.redirects.some(isAmbiguous) ? { ...inner, straight: false } : inner),
        ]);
      }
      case 'Coproc':
        return { kind: 'background', body: this.#node(node.body, { ...scope, straight: false, background: true }) };
      case 'Function':
        return nothing;
      default:
        return this.#expansions(node, { ...scope, decisive: false });
    }
  }

  #pipeline({ commands, prefixes }: Pipeline, scope: Scope): Flow {
    const inner = prefixes.some(({ type }) => type === 'Negation') ? { ...scope, tolerant: true } : scope;
    const last = commands.length - 1;
    const parts = commands
      .map((command, index) =>
        this.#node(command, index === last ? inner : { ...inner, captured: true, decisive: inner.decisive && this.#options.pipefail }),
      )
      .filter((part) => part !== nothing);
    return parts.length > 1 ? { kind: 'together', parts } : (parts[0] ?? nothing);
  }

  #andOr({ commands, operators }: AndOr, scope: Scope): Flow {
    const lastOr = operators.lastIndexOf('||');
    const last = commands[operators.length];
    // Of `a && b || exit 1`, all must succeed.
    const orExit = operators.indexOf('||') === operators.length - 1 && last !== undefined && endsRun(last);
    let conditional = scope.conditional;
    return sequence(
      commands.map((command, index) => {
        const before = operators[index - 1];
        // After a successful `ss-…`, the rest happens; of any other command, nobody knows how it ends.
        const left = commands[index - 1];
        if (
          before === '||' ||
          (before === '&&' &&
            !(left?.type === 'Command' && baseName(unwrap(argumentsOf(left, scope.variables)).words[0])?.startsWith('ss-')))
        )
          conditional = true;
        const inner = {
          ...scope,
          conditional,
          straight: scope.straight && index === 0,
          orExit: scope.orExit || orExit,
          decisive: scope.decisive && (orExit || index === operators.length),
          tolerant: scope.tolerant || (index <= lastOr && !orExit),
        };
        return this.#node(command, inner);
      }),
    );
  }

  #if({ clause, then, elif, else: otherwise }: If, scope: Scope): Flow {
    const maybe = { ...scope, conditional: true, straight: false };
    const test = this.#list(clause, { ...scope, tolerant: true, straight: false });
    const branches = [
      this.#list(then, maybe),
      ...elif.map((one) => sequence([this.#list(one.clause, { ...maybe, tolerant: true }), this.#list(one.then, maybe)])),
      ...(otherwise === undefined ? [] : [this.#list(otherwise, maybe)]),
    ];
    return sequence([test, choice(branches)]);
  }

  #case({ word, items }: Case, scope: Scope): Flow {
    const branches = items.map(({ body }) => this.#list(body, { ...scope, conditional: true, straight: false }));
    return sequence([this.#expansions(word, { ...scope, decisive: false }), choice(branches)]);
  }

  #for(loop: For, scope: Scope): Flow {
    const { name, wordlist, body } = loop;
    const words = expand(wordlist ?? [], scope.variables).map(({ text }) => text);
    const before = (wordlist ?? []).map((word) => this.#expansions(word, { ...scope, decisive: false }));
    const inner = { ...scope, straight: false };
    const without = new Map(scope.variables.values);
    without.delete(name.value);
    if (words.length === 0 || words.length > 50 || words.includes(undefined) || this.#changesIn(loop)) {
      return sequence([...before, this.#list(body, { ...inner, conditional: true, variables: { ...scope.variables, values: without } })]);
    }
    const turns = words.map((value) => {
      const values = new Map(without).set(name.value, value ?? '');
      return this.#list(body, { ...inner, variables: { ...scope.variables, values } });
    });
    return sequence([...before, ...turns]);
  }

  #command(command: Command, scope: Scope): Flow {
    const before = this.#before(command, scope);
    const { words, bounded, last } = unwrap(argumentsOf(command, scope.variables));
    const name = baseName(words[0]);
    const bodies = name === undefined || scope.functions.includes(name) ? undefined : this.#functions.get(name);
    const flow =
      name !== undefined && bodies !== undefined
        ? this.#function(name, bodies, words, command, scope)
        : (this.#ssCall(name, words, command, bounded ? { ...scope, straight: false } : scope) ??
          this.#otherCommand(name, words, command, scope));
    if (last) this.#loose = true;
    return sequence([...before, flow]);
  }

  /** What happens while the words of a command are put together. */
  #before(command: Command, scope: Scope): Flow[] {
    const parts = [...command.prefix, ...(command.name ? [command.name] : []), ...command.suffix];
    // The status of `x=$(ss-get y)` is that of `ss-get`; in a word of another command it is lost.
    const inner =
      command.name === undefined
        ? { ...scope, decisive: scope.decisive && substitutionsIn(command) === 1 }
        : { ...scope, tolerant: false, decisive: false };
    const assigned = parts.flatMap((part) => (part.type === 'Assignment' && part.value.type === 'Word' ? [outline(part.value)] : []));
    return [...parts.map((part) => this.#expansions(part, inner)), ...(assigned.some(mentionsSet) ? [unread.own] : [])];
  }

  #function(name: string, bodies: readonly SyntaxNode[], words: readonly Argument[], command: Command, scope: Scope): Flow {
    const fixed = !bodies.some(this.#shifts);
    const inner = {
      ...scope,
      straight: false,
      conditional: scope.conditional || bodies.length > 1,
      functions: [...scope.functions, name],
      variables: { ...scope.variables, args: fixed ? words.slice(1).map(({ text }) => text) : undefined },
    };
    const flows = bodies.map((body) => this.#node(body, inner));
    return sequence([choice(flows), ...(fixed ? [] : this.#handed(name, words, command, scope))]);
  }

  #ssCall(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow | undefined {
    const known = commandName(name);
    if (known === undefined) return undefined;
    const range: Range = scope.place ?? [command.pos, command.end];
    const read = readCall(known, words, {
      ...scope,
      straight: scope.straight && !this.#loose && !command.redirects.some(isAmbiguous),
      fatal: scope.decisive && (scope.orExit || this.#options.errexit),
      range,
    });
    if (read.call !== undefined) return { kind: 'call', call: read.call };
    if (read.idle) return nothing;
    this.#blind(range, `The key of this ${known} is only known when the script runs.`);
    return known === 'ss-set' || known === 'ss-random' ? unread.own : nothing;
  }

  #otherCommand(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow {
    const place: Range = scope.place ?? [command.pos, command.end];
    if (words.length === 0) return nothing;
    const rest = words.slice(1);
    if (name === 'set') {
      const texts = rest.map(({ text }) => text);
      this.#options = changeOptions(this.#options, texts, scope.straight && !scope.conditional && !this.#loose);
    }
    if (name === 'eval' || name === 'trap') {
      this.#loose = true;
      const texts = name === 'trap' ? rest.slice(0, 1) : rest;
      const outlines = texts.map(({ word }) => outline(word)).join(' ');
      const unknown = texts.some(({ text }) => text === undefined);
      const later = name === 'trap' ? { ...scope, conditional: true, possible: true } : { ...scope, straight: false };
      if (!unknown) return this.#nested(texts.map(({ text }) => text).join(' '), { ...later, place });
      return mentionsSet(outlines) ? unread.own : unread['hardly-own'];
    }
    if (name === 'alias' || exits(name, words, scope.functions.length > 0) || (scope.background && /^p?kill(all)?$/.test(name ?? '')))
      this.#loose = true;
    const option = rest.findIndex(({ text }) => text !== undefined && /^-[a-z]*c$/.test(text));
    const text = option === -1 ? undefined : rest[option + 1]?.text;
    if (isShell(name) && text !== undefined) return this.#nested(text, { ...scope, straight: false, place });
    if ((name === '.' || name === 'source') && isForeignSource(words[1])) {
      this.#loose = true;
      this.#blind(place, 'The file that is sourced here is not checked.');
      return unread.own;
    }
    const program = isRemote(name) ? unread['hardly-any'] : runsProgram(name, words[0]) ? unread['hardly-own'] : nothing;
    return sequence([program, ...this.#handed(name, words, command, scope)]);
  }

  /** What a command may do with its words: functions (`retry wait_for_db`), other commands, texts that hold commands for later. */
  #handed(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow[] {
    const inertWords = isInert(name, command, scope.captured);
    const maybe = { ...scope, conditional: true, straight: false, variables: { ...scope.variables, args: undefined } };
    const bodies = words
      .slice(1)
      .flatMap(({ text }) =>
        text === undefined || scope.functions.includes(text)
          ? []
          : (this.#functions.get(text) ?? []).map((body) => this.#node(body, { ...maybe, functions: [...scope.functions, text] })),
      );
    const at = words.findIndex((word, index) => index > 0 && /^ss-(set|random)$/.test(baseName(word) ?? ''));
    const called = at === -1 || inertWords ? nothing : this.#handedCall(name, words.slice(at), command, maybe);
    const texts = textsOf(words, command, inertWords).map((one) => this.#handedText(name, one, maybe));
    return [...bodies, called, ...texts];
  }

  #handedCall(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow {
    if (isRemote(name)) return unread.any;
    if (name === 'xargs' || name === 'parallel') return unread.own;
    const body = this.#ssCall(baseName(words[0]), words, command, { ...scope, possible: true });
    return body === undefined ? unread.own : { kind: 'background', body };
  }

  /** A script that is written to a file, a command for another machine. */
  #handedText(name: string | undefined, { text, place }: { text: string; place: Range }, scope: Scope): Flow {
    if (scope.possible || !this.#concerns(text)) return nothing;
    this.#blind(scope.place ?? place, 'The commands in this text are not checked.');
    if (isRemote(name) && mentionsSet(text)) return unread.any;
    const body = this.#nested(text, { ...scope, possible: true, place: scope.place ?? place });
    // In another language, or not quite a command.
    const missed = mentionsSet(text) && !callsOf(body).some(isSet);
    return sequence([{ kind: 'background', body }, ...(missed ? [unread.own] : [])]);
  }

  #nested(text: string, scope: Scope): Flow {
    if (!this.#concerns(text)) return nothing;
    return this.#statements(parse(text).commands, scope);
  }

  #concerns(text: string): boolean {
    return ssCommand.test(text) || (text.match(/[\w-]+/g) ?? []).some((word) => this.#functions.has(word));
  }

  /** The commands in `$( )`, backticks and `<( )` anywhere below a node. */
  #expansions(node: SyntaxNode, scope: Scope): Flow {
    const flows: Flow[] = [];
    const inner = within(node, scope);
    forEachChild(node, (child) => {
      if (child.type === 'Script') {
        // Backticks with escapes have a text of their own; their place is that of the whole.
        const place = child.source === undefined ? scope.place : (scope.place ?? ([node.pos, node.end] as const));
        const last = child.commands.length - 1;
        // Only the last one decides how a substitution ends.
        for (const [index, one] of child.commands.entries())
          flows.push(this.#statements([one], { ...inner, captured: true, decisive: inner.decisive && index === last, place }));
      } else {
        flows.push(this.#expansions(child, inner));
      }
    });
    return sequence(flows);
  }

  #blind(range: Range, message: string): void {
    if (!this.notChecked.some((one) => one.range[0] === range[0] && one.message === message)) this.notChecked.push({ range, message });
  }
}
