import type { OpResult, OpsRequest, ReportProgress } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import type { Readable } from 'node:stream';
import type { AgentLink } from '../agents/session.ts';
import { ReportFiles, type ReportPart } from '../reports/report-files.ts';
import { instanceOf } from '../run/apply.ts';
import type { Instance } from '../run/instance.ts';
import type { ActiveRun } from './active-run.ts';
import { scriptOf } from './scripts.ts';

/** One instance's agent that has shown its key, and all that it may do. */
export class Agent {
  readonly active: ActiveRun;
  /** The name of its instance. */
  readonly name: string;
  readonly #reports: ReportFiles;

  constructor(active: ActiveRun, name: string, reports: ReportFiles) {
    this.active = active;
    this.name = name;
    this.#reports = reports;
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
  reportProgress(name: string): Promise<ReportProgress> {
    this.#checkReportName(name);
    return this.#reports.progress(this.active.id, name);
  }

  /** Takes a part of a report. @throws PACELINE_FORBIDDEN for a name that is not of its instance */
  async receiveReport(name: string, part: ReportPart, body: Readable): Promise<ReportProgress> {
    this.#checkReportName(name);
    const progress = await this.#reports.append(this.active.id, name, part, body);
    if (!progress.complete) return progress;
    const { size: bytes, sha256 } = part;
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

  get #instance(): Instance {
    return instanceOf(this.active.run, this.name);
  }

  #checkReportName(name: string): void {
    if (ReportFiles.instanceOf(name) === this.name) return;
    throw new PacelineError('PACELINE_FORBIDDEN', `A report of ${this.name} cannot be named ${name}`);
  }
}
