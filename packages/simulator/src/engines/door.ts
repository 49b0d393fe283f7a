import type {
  CreatedRun,
  JoinRequest,
  JoinResponse,
  OpResult,
  OpsRequest,
  ReportProgress,
  RunDetail,
  RunRequest,
  StreamEvents,
} from '@paceline/api';
import { readParameter, type ActiveRun, type Agent, type Engine, type ReportPart } from '@paceline/engine';
import { isPacelineError, PacelineError } from '@paceline/model';
import type { Process } from '../kernel/process.ts';
import type { Wire } from '../network/stream.ts';
import type { World } from '../world.ts';
import { emptyBody } from './reports.ts';

/** What the server does between HTTP and the engine, without HTTP: one method for each route that is used here. */
export class Door {
  readonly #world: World;
  readonly #process: Process;
  readonly #engine: Engine;

  constructor(world: World, process: Process, engine: Engine) {
    this.#world = world;
    this.#process = process;
    this.#engine = engine;
  }

  async join(request: JoinRequest): Promise<JoinResponse> {
    const { checks } = this.#world;
    try {
      const response = await this.#engine.join(request);
      checks.agents.joined(request);
      return response;
    } catch (error) {
      if (isPacelineError(error) && error.code === 'PACELINE_JOIN_REFUSED') checks.agents.refused(this.#process, request);
      throw error;
    }
  }

  /** What an agent follows. */
  async stream(key: string, wire: Wire): Promise<void> {
    const agent = await this.#agent(key);
    const { active, name } = agent;
    const {
      checks: { links },
      trace,
    } = this.#world;
    let left = (): void => {};
    const leave = agent.connect(() => {
      const link = links.opened(this.#process, active.id, name);
      trace?.add(this.#process.name, `is connected to ${name} of ${active.id}`);
      left = () => {
        trace?.add(this.#process.name, `is not connected any more to ${name} of ${active.id}`);
        links.closed(link);
        leave();
      };
      wire.onGone(left);
      return {
        send: <E extends keyof StreamEvents>(event: E, data: StreamEvents[E]): void => {
          trace?.add(this.#process.name, `tells ${name} of ${active.id} ${event} ${JSON.stringify(data)}`);
          links.told(link, event, data);
          wire.send(event, data);
        },
        close: () => wire.close(),
      };
    });
    if (wire.isGone) left();
  }

  async ops(key: string, request: OpsRequest): Promise<OpResult[]> {
    const agent = await this.#agent(key);
    const { id } = agent.active;
    const { checks } = this.#world;
    const since = checks.links.said(id, agent.name, request);
    try {
      const results = await agent.ops(request);
      checks.links.answered(id, agent.name, request, results, since);
      return results;
    } catch (error) {
      if (isPacelineError(error) && error.code === 'PACELINE_CONFLICT') checks.saw('an old session was refused');
      throw error;
    }
  }

  async script(key: string, digest: string): Promise<string> {
    return (await this.#agent(key)).script(digest);
  }

  async reportProgress(key: string, name: string): Promise<ReportProgress> {
    return (await this.#agent(key)).reportProgress(name);
  }

  async report(key: string, name: string, part: ReportPart): Promise<ReportProgress> {
    return (await this.#agent(key)).receiveReport(name, part, emptyBody);
  }

  createRun(request: RunRequest): Promise<CreatedRun> {
    return this.#engine.createRun(request, 'operator');
  }

  runDetail(run: string): Promise<RunDetail> {
    return this.#engine.runDetail(run);
  }

  async read(run: string, key: string): Promise<string | null> {
    const { value = null } = await this.#engine.see(run, (current) => readParameter(current, key));
    this.#world.checks.parameters.told(run, key, value);
    return value;
  }

  async write(run: string, key: string, value: string): Promise<void> {
    await (await this.#activeRun(run)).write(key, value, false);
  }

  async terminate(run: string): Promise<void> {
    await this.#engine.terminate(run, 'a user');
  }

  async abort(run: string, reason: string): Promise<void> {
    await (await this.#activeRun(run)).abort(reason);
  }

  async cancelAbort(run: string): Promise<void> {
    await (await this.#activeRun(run)).cancelAbort();
  }

  /** Everything after a cursor, and then live. */
  async events(run: string, after: number, wire: Wire): Promise<void> {
    const gone = new AbortController();
    wire.onGone(() => gone.abort());
    const { trace, checks } = this.#world;
    trace?.add(this.#process.name, `is followed in ${run} from ${after}`);
    const feed = checks.feeds.opened(this.#process, run, after);
    try {
      for await (const items of this.#engine.followEvents(run, after, gone.signal)) {
        trace?.add(this.#process.name, `tells followers of ${run} ${items.map(({ seq }) => seq).join()}`);
        for (const item of items) {
          wire.send('event', item);
          feed.sent = item.seq;
        }
      }
      trace?.add(this.#process.name, `has told followers of ${run} all`);
      wire.send('end', {});
    } finally {
      checks.feeds.closed(feed);
      wire.close();
    }
  }

  /** Whoever does not drive a run sends its people on. */
  async #activeRun(run: string): Promise<ActiveRun> {
    if ((await this.#engine.ownerUrl(run)) !== undefined)
      throw new PacelineError('PACELINE_STORE_FAILED', `The run ${run} is not driven here`);
    return this.#engine.activeRun(run);
  }

  async #agent(key: string): Promise<Agent> {
    try {
      return await this.#engine.authenticate(key);
    } catch (error) {
      if (isPacelineError(error) && error.status === 401) this.#world.checks.agents.turnedAway(this.#process, key);
      throw error;
    }
  }
}
