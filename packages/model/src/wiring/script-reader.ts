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
import { baseName, parseOptions, unwrap } from './command-line.ts';
import { type Call, choice, type Flow, nothing, sequence } from './flow.ts';
import type { Blind } from './parse-script.ts';
import { argumentsOf, type Argument, expand, noVariables, type Variables } from './words.ts';

/** Where the reader is: in a branch, in a place where failure is handled, in which function. */
interface Scope {
  conditional: boolean;
  tolerant: boolean;
  possible: boolean;
  variables: Variables;
  /** Names of the functions that are being read: a function that calls itself is read once. */
  functions: readonly string[];
  /** The range that stands for everything below, where offsets are those of another text. */
  place: Range | undefined;
}

const ssCommand = /\bss-(get|set|random|get-all)\b/;
const interpreters = new Set([
  'bash',
  'sh',
  'dash',
  'python',
  'python2',
  'python3',
  'perl',
  'ruby',
  'node',
  'php',
  'ansible-playbook',
  'make',
]);
/** Files that set up a shell and no more. */
const knownSource = /^(\/etc\/|\/opt\/slipstream\/|~\/\.|\/root\/\.|\$HOME\/\.)/;
const prints = new Set(['echo', 'printf', 'which', 'type', 'ss-display', 'ss-abort', 'logger', 'grep', 'sed']);
/** Enough for any script; functions that call each other could unfold a hostile one without end. */
const mostSteps = 50_000;

/** Walks the tree of a script and writes down the calls of `ss-*` commands in the order in which they happen. */
export class ScriptReader {
  readonly notChecked: Blind[] = [];
  mayAlsoSet = false;
  runsOthers = false;
  readonly #script: Tree;
  readonly #functions = new Map<string, SyntaxNode>();
  #steps = 0;

  constructor(script: Tree) {
    this.#script = script;
    this.#collectFunctions(script);
  }

  read(): Flow {
    const scope: Scope = {
      conditional: false,
      tolerant: false,
      possible: false,
      variables: noVariables,
      functions: [],
      place: undefined,
    };
    return this.#statements(this.#script.commands, scope);
  }

  #collectFunctions(node: SyntaxNode): void {
    if (node.type === 'Function') this.#functions.set(node.name.value, node.body);
    forEachChild(node, (child) => this.#collectFunctions(child));
  }

  #statements(statements: readonly Statement[], scope: Scope): Flow {
    return sequence(
      statements.map(({ command, background }) => {
        const body = this.#node(command, scope);
        return background && body !== nothing ? { kind: 'background', body } : body;
      }),
    );
  }

  #list(list: CompoundList, scope: Scope): Flow {
    return this.#statements(list.commands, scope);
  }

  #node(node: SyntaxNode, scope: Scope): Flow {
    if (++this.#steps > mostSteps) return nothing;
    const maybe = { ...scope, conditional: true };
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
        return sequence([this.#list(node.clause, { ...scope, tolerant: true }), this.#list(node.body, maybe)]);
      case 'Select':
      case 'ArithmeticFor':
        return this.#list(node.body, maybe);
      case 'Subshell':
      case 'BraceGroup':
        return this.#list(node.body, scope);
      case 'CompoundList':
        return this.#list(node, scope);
      case 'Redirected':
        return sequence([...node.redirects.map((redirect) => this.#expansions(redirect, scope)), this.#node(node.command, scope)]);
      case 'Coproc':
        return { kind: 'background', body: this.#node(node.body, scope) };
      case 'Function':
        return nothing;
      default:
        return this.#expansions(node, scope);
    }
  }

  #pipeline({ commands, prefixes }: Pipeline, scope: Scope): Flow {
    const inner = prefixes.some(({ type }) => type === 'Negation') ? { ...scope, tolerant: true } : scope;
    const parts = commands.map((command) => this.#node(command, inner)).filter((part) => part !== nothing);
    return parts.length > 1 ? { kind: 'together', parts } : (parts[0] ?? nothing);
  }

  #andOr({ commands, operators }: AndOr, scope: Scope): Flow {
    const lastOr = operators.lastIndexOf('||');
    let conditional = scope.conditional;
    return sequence(
      commands.map((command, index) => {
        const before = operators[index - 1];
        // After a successful `ss-…`, the rest happens; of any other command, nobody knows how it ends.
        const left = commands[index - 1];
        if (
          before === '||' ||
          (before === '&&' && !(left?.type === 'Command' && baseName(unwrap(argumentsOf(left, scope.variables))[0])?.startsWith('ss-')))
        )
          conditional = true;
        return this.#node(command, { ...scope, conditional, tolerant: scope.tolerant || index <= lastOr });
      }),
    );
  }

  #if({ clause, then, elif, else: otherwise }: If, scope: Scope): Flow {
    const maybe = { ...scope, conditional: true };
    const test = this.#list(clause, { ...scope, tolerant: true });
    const branches = [
      this.#list(then, maybe),
      ...elif.map((one) => sequence([this.#list(one.clause, { ...maybe, tolerant: true }), this.#list(one.then, maybe)])),
      ...(otherwise === undefined ? [] : [this.#list(otherwise, maybe)]),
    ];
    return sequence([test, choice(branches)]);
  }

  #case({ word, items }: Case, scope: Scope): Flow {
    const branches = items.map(({ body }) => this.#list(body, { ...scope, conditional: true }));
    return sequence([this.#expansions(word, scope), choice(branches)]);
  }

  #for({ name, wordlist, body }: For, scope: Scope): Flow {
    const words = expand(wordlist ?? [], scope.variables).map(({ text }) => text);
    const before = (wordlist ?? []).map((word) => this.#expansions(word, scope));
    if (words.length === 0 || words.length > 50 || words.includes(undefined)) {
      return sequence([...before, this.#list(body, { ...scope, conditional: true })]);
    }
    const turns = words.map((value) => {
      const values = new Map(scope.variables.values).set(name.value, value ?? '');
      return this.#list(body, { ...scope, variables: { ...scope.variables, values } });
    });
    return sequence([...before, ...turns]);
  }

  #command(command: Command, scope: Scope): Flow {
    // The status of `x=$(ss-get y)` is that of `ss-get`; in a word of another command it is lost.
    const inner = command.name === undefined ? scope : { ...scope, tolerant: false };
    const before = [...command.prefix, ...(command.name ? [command.name] : []), ...command.suffix].map((part) =>
      this.#expansions(part, inner),
    );
    const words = unwrap(argumentsOf(command, scope.variables));
    const name = baseName(words[0]);
    const body = name === undefined ? undefined : this.#functions.get(name);
    let flow: Flow;
    if (body !== undefined && name !== undefined && !scope.functions.includes(name)) {
      const args = words.slice(1).map(({ text }) => text);
      flow = this.#node(body, {
        ...scope,
        functions: [...scope.functions, name],
        variables: { ...scope.variables, args },
      });
    } else {
      flow = this.#ssCall(name, words, command, scope) ?? this.#otherCommand(name, words, command, scope);
    }
    return sequence([...before, flow]);
  }

  #ssCall(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow | undefined {
    if (name !== 'ss-get' && name !== 'ss-set' && name !== 'ss-get-all' && name !== 'ss-random') return undefined;
    const { operands, flags, unsure } = parseOptions(words.slice(1));
    const [first, second] = operands;
    const target = name === 'ss-get-all' ? second : first;
    if (target === undefined && !unsure) return nothing;
    const key = target?.text;
    const node = name === 'ss-get-all' ? first?.text : undefined;
    const range: Range = scope.place ?? [command.pos, command.end];
    if (key === undefined || unsure || (name === 'ss-get-all' && node === undefined)) {
      if (name === 'ss-set' || name === 'ss-random') this.mayAlsoSet = true;
      this.#blind(range, `The key of this ${name} is only known when the script runs.`);
      return nothing;
    }
    const call: Call = {
      command: name,
      key,
      ...(node === undefined ? {} : { node }),
      blocking: (name === 'ss-get' || name === 'ss-get-all') && !flags.has('--noblock'),
      conditional: scope.conditional,
      tolerant: scope.tolerant,
      possible: scope.possible,
      range,
    };
    return { kind: 'call', call };
  }

  #otherCommand(name: string | undefined, words: readonly Argument[], command: Command, scope: Scope): Flow {
    const place: Range = scope.place ?? [command.pos, command.end];
    if (name === undefined) return nothing;
    if (name === 'eval' || name === 'trap') {
      const text =
        name === 'trap'
          ? words[1]?.text
          : words
              .slice(1)
              .map((word) => word.text)
              .join(' ');
      const later = name === 'trap' ? { ...scope, conditional: true, possible: true } : scope;
      return text === undefined ? nothing : this.#nested(text, { ...later, place });
    }
    const option = words.findIndex(({ text }) => text !== undefined && /^-[a-z]*c$/.test(text));
    if ((interpreters.has(name) || name === 'su') && option !== -1) {
      const text = words[option + 1]?.text;
      if (text !== undefined && /^(ba|da)?sh$|^su$/.test(name)) return this.#nested(text, { ...scope, place });
    }
    if ((name === '.' || name === 'source') && !knownSource.test(words[1]?.word.text.replaceAll('"', '') ?? '')) {
      this.mayAlsoSet = true;
      this.#blind(place, 'The file that is sourced here is not checked.');
    }
    if (interpreters.has(name) || /^\.{1,2}\//.test(words[0]?.text ?? '')) this.runsOthers = true;
    // A function that is handed to another command (`retry wait_for_db`) may be called by it.
    const handed = words
      .slice(1)
      .flatMap(({ text }) => (text !== undefined && this.#functions.has(text) && !scope.functions.includes(text) ? [text] : []));
    const bodies = handed.map((one) => {
      const body = this.#functions.get(one);
      return body === undefined ? nothing : this.#node(body, { ...scope, conditional: true, functions: [...scope.functions, one] });
    });
    return sequence([...bodies, ...this.#mentions(name, words, command, scope)]);
  }

  /** Texts that hold commands for later: a script that is written to a file, a command for another machine. */
  #mentions(name: string, words: readonly Argument[], command: Command, scope: Scope): Flow[] {
    if (scope.possible || prints.has(name)) return [];
    const texts: { text: string; place: Range }[] = [];
    for (const { text, word } of words.slice(1)) {
      if (text !== undefined && /\s/.test(text)) texts.push({ text, place: [word.pos, word.end] });
    }
    for (const redirect of command.redirects) {
      if (redirect.type !== 'HereDoc') continue;
      const { parts, text } = redirect.body;
      // Its substitutions happen now, and were read above; the rest is for later.
      const rest = parts?.map((part) => (part.type === 'Literal' ? part.value : '_')).join('') ?? text;
      texts.push({ text: rest, place: [redirect.pos, redirect.end] });
    }
    return texts
      .filter(({ text }) => ssCommand.test(text))
      .map(({ text, place }): Flow => {
        this.#blind(scope.place ?? place, 'The commands in this text are not checked.');
        return {
          kind: 'background',
          body: this.#nested(text, { ...scope, conditional: true, possible: true, place: scope.place ?? place }),
        };
      });
  }

  #nested(text: string, scope: Scope): Flow {
    if (!ssCommand.test(text)) return nothing;
    return this.#statements(parse(text).commands, scope);
  }

  /** The commands in `$( )`, backticks and `<( )` anywhere below a node. */
  #expansions(node: SyntaxNode, scope: Scope): Flow {
    const flows: Flow[] = [];
    forEachChild(node, (child) => {
      if (child.type === 'Script') {
        // Backticks with escapes have a text of their own; their place is that of the whole.
        const place = child.source === undefined ? scope.place : (scope.place ?? ([node.pos, node.end] as const));
        flows.push(this.#statements(child.commands, { ...scope, place }));
      } else {
        flows.push(this.#expansions(child, scope));
      }
    });
    return sequence(flows);
  }

  #blind(range: Range, message: string): void {
    if (!this.notChecked.some((one) => one.range[0] === range[0] && one.message === message)) this.notChecked.push({ range, message });
  }
}
