/** What an option takes: nothing, something that is counted, a text or a whole number. */
export type OptionKind = 'flag' | 'count' | 'text' | 'number';

export interface CommandSyntax {
  /** As `--help` shows it, after the command's name. */
  usage: string;
  /** By long name; `short` in `shorts`. */
  options: Record<string, OptionKind>;
  shorts?: Record<string, string>;
}

export interface Parsed {
  flags: Set<string>;
  texts: Record<string, string>;
  numbers: Record<string, number>;
  args: string[];
}

/** Wrong usage; exit code 2. `help`: not wrong, but nothing else is to be done (exit code 0). */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly help: boolean;

  constructor(message: string, help = false) {
    super(message);
    this.help = help;
  }
}

/** Options of all commands. `--run` and `--endpoint` are known for old recipes' sake: a machine has one run. */
const common: Record<string, OptionKind> = { verbose: 'count', run: 'text', endpoint: 'text', help: 'flag' };
const commonShorts: Record<string, string> = { v: 'verbose', h: 'help' };

/**
 * Reads arguments as Python's optparse did, because recipes were written against it: options anywhere, `--opt value`,
 * `--opt=value`, unambiguous abbreviations, `-s8`, `-vv`, and `--` before everything that may begin with a dash.
 */
export function parseOptions(argv: string[], syntax: CommandSyntax): Parsed {
  const kinds = { ...common, ...syntax.options };
  const shorts = { ...commonShorts, ...syntax.shorts };
  const parsed: Parsed = { flags: new Set(), texts: {}, numbers: {}, args: [] };
  const rest = [...argv];

  function take(name: string, shown: string, attached: string | undefined): void {
    const kind = kinds[name]!;
    if (kind === 'flag' || kind === 'count') {
      if (attached !== undefined) throw new UsageError(`${shown} option does not take a value`);
      parsed.flags.add(name);
      return;
    }
    const value = attached ?? rest.shift();
    if (value === undefined) throw new UsageError(`${shown} option requires an argument`);
    if (kind === 'text') parsed.texts[name] = value;
    else if (/^\s*[+-]?\d+\s*$/.test(value)) parsed.numbers[name] = Number(value);
    else throw new UsageError(`option ${shown}: invalid integer value: '${value}'`);
  }

  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      parsed.args.push(...rest.splice(0));
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const shown = equals === -1 ? arg : arg.slice(0, equals);
      const name = fullName(shown, Object.keys(kinds));
      take(name, `--${name}`, equals === -1 ? undefined : arg.slice(equals + 1));
    } else if (arg.length > 1 && arg.startsWith('-')) {
      for (let letters = arg.slice(1); letters;) {
        const letter = letters[0]!;
        const name = shorts[letter];
        if (!name) throw new UsageError(`no such option: -${letter}`);
        letters = letters.slice(1);
        const takesValue = kinds[name] === 'text' || kinds[name] === 'number';
        take(name, `-${letter}`, takesValue && letters ? letters : undefined);
        if (takesValue) break;
      }
    } else parsed.args.push(arg);
  }
  if (parsed.flags.has('help')) throw new UsageError(`Usage: ${syntax.usage}`, true);
  return parsed;
}

function fullName(shown: string, names: string[]): string {
  const given = shown.slice(2);
  if (names.includes(given)) return given;
  const matches = given ? names.filter((name) => name.startsWith(given)) : [];
  if (matches.length === 1) return matches[0]!;
  if (matches.length === 0) throw new UsageError(`no such option: ${shown}`);
  const list = matches.sort().map((name) => `--${name}`);
  throw new UsageError(`ambiguous option: ${shown} (${list.join(', ')}?)`);
}
