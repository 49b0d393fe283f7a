/** What the runner makes of what a step prints. */
export interface RunnerLog {
  /** What people see: secrets are stars. */
  shown: string;
  annotations: { level: string; message: string; file?: string; line?: number; title?: string }[];
  groups: string[];
  masks: string[];
  /** All commands that were obeyed, by name. */
  commands: string[];
}

/** Reads the output of a step line by line, as the runner does: commands are obeyed unless they are stopped. */
export function readLog(output: string): RunnerLog {
  const log: RunnerLog = { shown: '', annotations: [], groups: [], masks: [], commands: [] };
  let resume: string | undefined;
  for (const line of output.split(/\r?\n/)) {
    const [, name = '', rest = '', message = ''] = /^\s*::([^\s:]+)(?: ([^:]*))?::(.*)$/.exec(line) ?? [];
    if (resume !== undefined) {
      if (name === resume) resume = undefined;
      else log.shown += `${masked(line, log.masks)}\n`;
      continue;
    }
    if (name === '') {
      log.shown += `${masked(line, log.masks)}\n`;
      continue;
    }
    log.commands.push(name);
    const text = unescaped(message);
    if (name === 'stop-commands') resume = message;
    else if (name === 'add-mask') log.masks.push(text);
    else if (name === 'group') log.groups.push(text);
    else if (['error', 'warning', 'notice'].includes(name)) log.annotations.push({ level: name, message: text, ...properties(rest) });
  }
  return log;
}

function masked(line: string, masks: readonly string[]): string {
  return masks.toSorted((a, b) => b.length - a.length).reduce((text, secret) => text.replaceAll(secret, '***'), line);
}

function properties(text: string): { file?: string; line?: number; title?: string } {
  const pairs = Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), unescaped(pair.slice(pair.indexOf('=') + 1))]),
  );
  const { file, line, title } = pairs;
  return {
    ...(file === undefined ? {} : { file }),
    ...(title === undefined ? {} : { title }),
    ...(line === undefined ? {} : { line: Number(line) }),
  };
}

function unescaped(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');
}
