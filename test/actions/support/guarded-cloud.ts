import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Runner } from './runner.ts';

/** The program of the connector: machines are names in a file, and only who knows a word of another file gets to those of its account. */
const program = `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
const file = new URL('machines.json', import.meta.url), doors = new URL('words.json', import.meta.url);
const read = (path) => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []);
const account = () => read(doors)[word];
const own = () => read(file).filter((one) => one.account === account());
let word;
const shown = ({ id, index, name, createdAt }) => ({ id, index, name, state: 'running', publicIps: ['192.0.2.1'], createdAt });
const methods = {
  hello: ({ secrets }) => ((word = secrets.word), {
    protocol: 1, name: 'guarded', version: '1.0.0', methods: ['account'],
    capabilities: { userDataBytes: 65536, maxBatch: 8, idempotency: 'name', listConsistencyMs: 0, reach: 'host' },
  }),
  probe: () => ({ account: account(), regions: [] }),
  account: () => ({ account: account() }),
  launch: ({ token, owner, machines, expiresAt }) => {
    const there = read(file);
    for (const { index, name } of machines)
      if (!there.some((one) => one.name === name))
        there.push({ account: account(), id: name, index, name, token, owner, expiresAt, createdAt: new Date().toISOString() });
    writeFileSync(file, JSON.stringify(there));
    return { machines: own().filter((one) => one.token === token).map(shown) };
  },
  describe: ({ ids }) => ({ machines: own().filter(({ id }) => ids.includes(id)).map(shown) }),
  list: ({ engine, run, token }, id) => {
    for (const one of own())
      if (one.owner.engine === engine && (run ?? one.owner.run) === one.owner.run && (token ?? one.token) === one.token)
        console.log(JSON.stringify({ id, item: {
          kind: 'machine', id: one.id, name: one.name, owner: one.owner, token: one.token, expiresAt: one.expiresAt, machine: shown(one),
        } }));
    return {};
  },
  terminate: ({ ids }) => {
    writeFileSync(file, JSON.stringify(read(file).filter((one) => one.account !== account() || !ids.includes(one.id))));
    return { results: ids.map((id) => ({ id, gone: true })) };
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) continue;
  const answer = methods[method];
  if (answer === undefined) console.log(JSON.stringify({ id, error: { code: 'unsupported', message: method } }));
  else if (method !== 'hello' && account() === undefined)
    console.log(JSON.stringify({ id, error: { code: 'auth', message: 'the word has ended' } }));
  else console.log(JSON.stringify({ id, result: answer(params, id) }));
}
`;

/** A cloud that lets in who knows a word, which is a credential of the job: `LAB_WORD` in its environment. */
export class GuardedCloud {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Puts it into the project of a runner, as the cloud `lab` and its only one. */
  static async open({ workspace }: Runner, words: Readonly<Record<string, string>>): Promise<GuardedCloud> {
    const folder = join(workspace, 'lab');
    await mkdir(folder);
    await writeFile(join(folder, 'lab.mjs'), program);
    const lab = { connector: 'exec', command: [process.execPath, join(folder, 'lab.mjs')], secrets: { word: 'LAB_WORD' } };
    await writeFile(join(workspace, 'clouds.yaml'), JSON.stringify({ clouds: { lab } }));
    const cloud = new GuardedCloud(folder);
    await cloud.letIn(words);
    return cloud;
  }

  /** From now on these words are good, and no others. Each leads to an account. */
  letIn(words: Readonly<Record<string, string>>): Promise<void> {
    return writeFile(join(this.#folder, 'words.json'), JSON.stringify(words));
  }

  /** The machines that are there, whoever asks. */
  async machines(): Promise<string[]> {
    const text = await readFile(join(this.#folder, 'machines.json'), 'utf8').catch(() => '[]');
    return (JSON.parse(text) as { id: string }[]).map(({ id }) => id);
  }
}
