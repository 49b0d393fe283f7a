import type { OpResult, OpsRequest, ReportProgress } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { Readable } from 'node:stream';
import type { AgentLink } from '../agents/session.ts';
import { ReportFiles, type ReportPart } from '../reports/report-files.ts';
import { instanceOf } from '../run/apply.ts';
import type { Instance } from '../run/instance.ts';
import type { RunStore } from '../store/run-store.ts';
import type { ActiveRun } from './active-run.ts';
import { scriptOf } from './scripts.ts';

/** One instance's agent that has shown its key, and all that it may do. */
export class Agent {
  readonly active: ActiveRun;
  /** The name of its instance. */
  readonly name: string;
  readonly #reports: ReportFiles;
  readonly #store: RunStore;

  constructor(active: ActiveRun, name: string, reports: ReportFiles, store: RunStore) {
    this.active = active;
    this.name = name;
    this.#reports = reports;
    this.#store = store;
  }

  /**
   * Takes a connection on which the agent is told things.
   * @param open opens it; not called when the run cannot take it now
   * @returns to be called when the connection is gone
   */
  connect(open: () => AgentLink): () => void {
    return this.active.work.connect(this.#instance, open());
  }

  /** Carries out what the agent says, in order; answered once it is stored. @throws PACELINE_CONFLICT */
  ops(request: OpsRequest): Promise<OpResult[]> {
    return this.active.work.ops(this.#instance, request);
  }

  /** The text of a script of the agent's run. @throws PACELINE_NOT_FOUND */
  script(digest: string): string {
    const text = scriptOf(this.active.run.plan, digest);
    if (text === undefined) throw new PacelineError('PACELINE_NOT_FOUND', `The run has no script with the digest ${digest}`);
    return text;
  }

  /** How much of one of its reports the agent has sent. @throws PACELINE_FORBIDDEN for a name that is not of its instance */
  async reportProgress(name: string): Promise<ReportProgress> {
    this.#checkReportName(name);
    const progress = await this.#reports.progress(this.active.id, name);
    // What nobody can find yet is not complete: the agent comes once more, and it is recorded.
    return { ...progress, complete: progress.complete && (await this.#isRecorded(name)) };
  }

  /** Takes a part of a report. @throws PACELINE_FORBIDDEN for a name that is not of its instance */
  async receiveReport(name: string, part: ReportPart, body: Readable): Promise<ReportProgress> {
    this.#checkReportName(name);
    const progress = await this.#reports.append(this.active.id, name, part, body);
    if (!progress.complete || (await this.#isRecorded(name))) return progress;
    const { bytes, sha256 } = await this.#reports.facts(this.active.id, name);
    const { name: instance } = this;
    await this.active.decide((_run, at) => [
      { kind: 'report', report: { name, instance, bytes, sha256, at } },
      {
        kind: 'event',
        at,
        body: {
          type: 'report.received',
          severity: 'info',
          message: `${instance}: report ${name}, ${bytes} bytes`,
          data: { instance, name, bytes },
        },
      },
    ]);
    return progress;
  }

  async #isRecorded(name: string): Promise<boolean> {
    return (await this.#store.reports(this.active.id)).some((report) => report.name === name);
  }

  get #instance(): Instance {
    return instanceOf(this.active.run, this.name);
  }

  #checkReportName(name: string): void {
    if (ReportFiles.instanceOf(name) === this.name) return;
    throw new PacelineError('PACELINE_FORBIDDEN', `A report of ${this.name} cannot be named ${name}`);
  }
}
