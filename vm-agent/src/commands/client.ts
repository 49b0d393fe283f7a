import { request } from 'node:http';
import type { Clock } from '../clock.ts';
import { readAll } from '../link/http.ts';

export interface ClientOptions {
  socket: string;
  /** Its process number. */
  pid: number;
  env: NodeJS.ProcessEnv;
  cwd: string;
  clock: Clock;
  stdin: () => Promise<Buffer>;
  out: (text: string) => void;
  err: (text: string) => void;
}

/** An `ss-*` command without curl: what the shim does, as a program of its own. @returns the exit code */
export async function commandClient(name: string, argv: string[], options: ClientOptions): Promise<number> {
  const { socket, pid, env, cwd, clock, stdin, out, err } = options;
  const form = new URLSearchParams(argv.map((arg): [string, string] => ['a', arg]));
  form.set('i', env['PACELINE_IGNORE_ABORT'] ?? '');
  form.set('d', cwd);
  form.set('p', `${pid}`);
  if (name === 'ss-set' && argv.some((arg, at) => arg === '--file=-' || (arg === '-' && argv[at - 1] === '--file')))
    form.set('f', (await stdin()).toString());
  for (let lost = 0; ;) {
    let answer: string;
    try {
      answer = await ask(socket, name, form.toString());
    } catch {
      if (lost++ % 10 === 0) err('Waiting for the agent\n');
      await clock.sleep(1000);
      continue;
    }
    const end = answer.indexOf('\n');
    const [code, to] = answer.slice(0, end).split(' ') as [string, string];
    const text = answer.slice(end + 1);
    if (code === 'wait') {
      form.set('w', to);
      if (text) err(`${text}\n`);
      continue;
    }
    if (to === 'out') out(`${text}\n`);
    else if (to === 'err') err(`${text}\n`);
    else if (to === 'both') {
      err(`${text.slice(0, text.indexOf('\n'))}\n`);
      out(`${text.slice(text.indexOf('\n') + 1)}\n`);
    }
    return Number(code);
  }
}

function ask(socketPath: string, name: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: `/${name}`, method: 'POST', agent: false }, (response) => {
      readAll(response).then((answer) => (response.statusCode === 200 ? resolve(answer.toString()) : reject(new Error())), reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
