import { Readable } from 'node:stream';
import type { ReportProgress } from '@paceline/api';
import { ReportFiles, type ReportPart } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import type { World } from '../world.ts';

/** What the body of a simulated report is read from: nobody reads it. */
export const emptyBody = new Readable({ read() {} });

/** The reports of all runs, on a disk that outlives the processes. */
export class SimulatedReports extends ReportFiles {
  readonly #world: World;
  readonly #whole: Map<string, number>;

  /** @param whole the sizes of reports that are there, by run and name */
  constructor(world: World, whole: Map<string, number>) {
    super('', Number.MAX_SAFE_INTEGER);
    this.#world = world;
    this.#whole = whole;
  }

  override async progress(run: string, name: string): Promise<ReportProgress> {
    const size = this.#whole.get(`${run} ${name}`);
    return { received: size ?? 0, complete: size !== undefined };
  }

  override async append(run: string, name: string, { size }: ReportPart): Promise<ReportProgress> {
    if (this.#world.faults.strikes('database.full', 0.05)) throw new PacelineError('PACELINE_STORE_FULL', 'No space left for reports');
    this.#whole.set(`${run} ${name}`, size);
    return { received: size, complete: true };
  }

  override async facts(run: string, name: string): Promise<{ bytes: number; sha256: string }> {
    return { bytes: this.#whole.get(`${run} ${name}`) ?? 0, sha256: '0'.repeat(64) };
  }

  override open(): Readable {
    return emptyBody;
  }

  override async remove(run: string): Promise<void> {
    for (const key of this.#whole.keys()) if (key.startsWith(`${run} `)) this.#whole.delete(key);
  }
}
