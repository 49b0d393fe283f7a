import { ConnectorError, type ConnectorContext, type ConnectorLog } from '@paceline/engine/connector';
import * as z from 'zod';
import { environmentOf, type Config } from './config.ts';
import { answerSchemas, greetingSchema, protocolVersion, type Answer, type Greeting, type Method } from './protocol.ts';
import { Redaction } from './redaction.ts';
import { Session } from './session.ts';

const firstPauseMs = 500;
const longestPauseMs = 30_000;
const silent: ConnectorLog = { info: () => {}, warn: () => {} };

/** One process of it. */
interface Running {
  session: Session;
  greeting: Promise<Greeting>;
}

/** A program that is started when it is needed, and started again when it has ended. */
export class Program {
  readonly redaction: Redaction;
  readonly #config: Config;
  readonly #secrets: Record<string, string>;
  #running: Running | undefined;
  #log = silent;
  /** Starts that came to nothing, in a row. */
  #failures = 0;
  #notBefore = 0;

  /** @throws ConnectorError auth when a secret is not there */
  constructor(config: Config, env: NodeJS.ProcessEnv = process.env) {
    this.#config = config;
    this.#secrets = Object.fromEntries(
      Object.entries(config.secrets).map(([name, variable]) => {
        const value = env[variable];
        if (value === undefined) {
          throw new ConnectorError('auth', `The environment variable ${variable}, which holds the secret ${name}, is not set`);
        }
        return [name, value];
      }),
    );
    this.redaction = new Redaction(Object.values(this.#secrets));
  }

  /** What the program says of itself; it is started when it is not there. @throws ConnectorError */
  async greet(): Promise<Greeting> {
    return this.#current().greeting;
  }

  /**
   * @param item called with each item that comes before the result
   * @throws ConnectorError as the program says, and unavailable when it ends before it answers
   */
  async call<M extends Method>(method: M, params: unknown, context: ConnectorContext, item?: (value: unknown) => void): Promise<Answer<M>> {
    this.#log = context.log;
    if (context.signal.aborted) throw new ConnectorError('timeout', `Gave up to ${method}: the call was aborted`);
    const { session, greeting } = this.#current();
    await greeting;
    return this.check(method, answerSchemas[method], await session.call(method, params, context.signal, item));
  }

  /** @throws ConnectorError internal when the program's words are not what the protocol asks for */
  check<T>(method: string, schema: z.ZodType<T, unknown>, value: unknown): T {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const why = this.redaction.clean(z.prettifyError(parsed.error));
    throw new ConnectorError('internal', `The answer of ${this.#config.command[0]} to ${method} is not as the protocol says: ${why}`);
  }

  async close(): Promise<void> {
    await this.#running?.session.close();
  }

  #current(): Running {
    if (this.#running === undefined || this.#running.session.isOver) this.#running = this.#start();
    return this.#running;
  }

  #start(): Running {
    const { command, directory, graceSeconds } = this.#config;
    const retryAfterMs = this.#notBefore - Date.now();
    if (retryAfterMs > 0) {
      throw new ConnectorError('unavailable', `${command[0]} has failed to start ${this.#failures} times in a row`, { retryAfterMs });
    }
    const session = new Session({
      command,
      directory,
      environment: environmentOf(this.#config, process.env),
      graceMs: graceSeconds * 1000,
      redaction: this.redaction,
      // Each call brings its own log; what a program says beside them goes to the latest.
      log: { info: (message) => this.#log.info(message), warn: (message) => this.#log.warn(message) },
    });
    const greeting = this.#hello(session);
    greeting.catch(() => {});
    return { session, greeting };
  }

  async #hello(session: Session): Promise<Greeting> {
    const { command, config, graceSeconds } = this.#config;
    const late = AbortSignal.timeout(graceSeconds * 1000);
    try {
      const params = { protocols: [protocolVersion], config, secrets: this.#secrets };
      const greeting = this.check('hello', greetingSchema, await session.call('hello', params, late));
      this.#failures = 0;
      return greeting;
    } catch (error) {
      session.kill('it has not greeted as the protocol says');
      this.#notBefore = Date.now() + Math.min(firstPauseMs * 2 ** this.#failures++, longestPauseMs);
      if (!late.aborted) throw error;
      throw new ConnectorError('unavailable', `${command[0]} has not greeted within ${graceSeconds} s`, {
        hint: 'It has to answer to `hello` on its standard output, and to flush it.',
      });
    }
  }
}
