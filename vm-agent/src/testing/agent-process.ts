import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { FakeEngine } from './fake-engine.ts';
import { mountSmallDisk } from './small-disk.ts';

/** The real bundle in a process of its own, below a folder of its own. */
export class AgentProcess {
  readonly root: string;
  readonly config: string;
  readonly bundle: string;
  readonly node: string;
  child: ChildProcess | undefined;
  stderr = '';
  #exit: Promise<number | null> = Promise.resolve(null);
  #unmount: (() => void) | undefined;

  /** @param disk its folder is a disk of this size, where that is possible */
  constructor(engine: FakeEngine, bundle: string, node: string, more: object = {}, disk?: { size: string; context: TestContext }) {
    this.bundle = bundle;
    this.node = node;
    this.root = mkdtempSync(join(tmpdir(), 'paceline-agent-'));
    if (disk) {
      disk.context.onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
      this.#unmount = mountSmallDisk(disk.context, this.root, disk.size);
    }
    this.config = join(this.root, 'config.json');
    const { url, secret } = engine;
    const config = { url, secret, run: 'run-1', instance: 'apache.1', root: this.root, packages: 'check', env: {}, ...more };
    writeFileSync(this.config, JSON.stringify(config));
  }

  /** @param stderr where its log goes instead of `this.stderr` */
  start(args: string[] = ['run', '--config', this.config], stderr: number | 'pipe' = 'pipe'): this {
    const child = spawn(this.node, [this.bundle, ...args], { stdio: ['ignore', 'ignore', stderr] });
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.child = child;
    this.#exit = new Promise((resolve) => child.on('exit', resolve));
    return this;
  }

  get exit(): Promise<number | null> {
    return this.#exit;
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    this.child!.kill(signal);
    await this.#exit;
  }

  path(name: string): string {
    return join(this.root, name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Run one of the installed commands. */
  async command(name: string, args: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Finished> {
    return runToEnd(join(this.root, 'opt/slipstream/client/bin', name), args, options);
  }

  async clean(): Promise<void> {
    if (this.child && this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGKILL');
      await this.#exit;
    }
    this.#unmount?.();
    rmSync(this.root, { recursive: true, force: true });
  }

  mkdir(name: string): string {
    mkdirSync(this.path(name), { recursive: true });
    return this.path(name);
  }
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function runToEnd(
  file: string,
  args: string[],
  { input, env }: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], ...(env && { env }) });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
