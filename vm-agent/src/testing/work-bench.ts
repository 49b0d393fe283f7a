import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assignment, OpResult, Step } from '@paceline/api/agent';
import { onTestFinished } from 'vitest';
import { systemClock } from '../clock.ts';
import { parseConfig } from '../config.ts';
import { Engine } from '../link/http.ts';
import type { OpDraft } from '../link/ops.ts';
import { Masker } from '../output/mask.ts';
import { Output } from '../output/output.ts';
import { makeFolders, pathsOf } from '../paths.ts';
import type { Bench } from '../runner/bench.ts';
import { Store } from '../runner/store.ts';
import { FakeEngine } from './fake-engine.ts';

/** A bench of real folders and processes; what is said is written down instead of sent. */
export class WorkBench {
  readonly said: OpDraft[] = [];
  readonly log: string[] = [];
  readonly fake = new FakeEngine();
  readonly bench: Bench;
  /** How the engine answers. */
  answer: (draft: OpDraft) => Promise<OpResult> = async () => ({ status: 'ok' });

  static async make(): Promise<WorkBench> {
    const bench = new WorkBench(mkdtempSync(join(tmpdir(), 'paceline-work-')));
    await bench.fake.start();
    bench.fake.keyHash = createHash('sha256').update('key').digest('hex');
    bench.bench.engine = new Engine({ url: bench.fake.url, key: 'key' });
    onTestFinished(async () => {
      bench.bench.output.stop();
      bench.bench.engine.close();
      await bench.fake.stop();
      rmSync(bench.bench.config.root, { recursive: true });
    });
    return bench;
  }

  private constructor(root: string) {
    const config = parseConfig(JSON.stringify({ url: 'http://127.0.0.1:1', run: 'r', instance: 'web.1', root, packages: 'check' }));
    const paths = pathsOf(config);
    makeFolders(paths);
    const masker = new Masker();
    const send = (draft: OpDraft): Promise<OpResult> => {
      if (draft.op !== 'log') this.said.push(draft);
      return this.answer(draft);
    };
    const ops = { send, logRoom: async () => {} };
    this.bench = {
      config,
      paths,
      engine: new Engine(config),
      store: new Store(paths.state, 'r', 'web.1', false),
      output: new Output({ folder: paths.reports, masker, ops, clock: systemClock }),
      masker,
      clock: systemClock,
      bootId: 'boot-1',
      env: { PATH: process.env['PATH'] ?? '', STATE: paths.state },
      ops,
      log: (line) => void this.log.push(line),
      stored: () => 0,
    };
  }

  assignment(seq: number, steps: Step[], more: Partial<Assignment> = {}): Assignment {
    return { seq, state: 'Executing', abort: null, completed: false, steps, ...more };
  }

  script(id: string, text: string, more: Partial<Extract<Step, { kind: 'script' }>> = {}): Step {
    return this.fake.script(id, text, { module: 'examples/web', ...more });
  }

  /** Ends of steps, notices and completions, as short texts. */
  get story(): string[] {
    return this.said.flatMap((op) => {
      if (op.op === 'complete') return [`complete ${op.seq}`];
      if (op.op === 'notice') return [`${op.severity}: ${op.message}`];
      return op.op === 'step' && op.status !== 'started' ? [`${op.step} ${op.status}${op.message ? `: ${op.message}` : ''}`] : [];
    });
  }
}
