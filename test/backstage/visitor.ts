import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { until } from '../support/until.ts';

interface TaskEvent {
  type: string;
  body: { message?: string; status?: string; output?: Record<string, unknown>; error?: { message: string } };
}

/** Somebody who has come into Backstage as a guest, and asks its back end as its pages do. */
export class Visitor {
  readonly #url: string;
  readonly #token: string;

  private constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  static async guest(url: string): Promise<Visitor> {
    const answer = await fetch(`${url}/api/auth/guest/refresh`, { headers: { 'x-requested-with': 'XMLHttpRequest' } });
    const { backstageIdentity } = (await answer.json()) as { backstageIdentity: { token: string } };
    return new Visitor(url, backstageIdentity.token);
  }

  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}/api${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Waits until the catalog has an entity. @param ref such as `component/default/shop` */
  entity(ref: string): Promise<Record<string, unknown>> {
    return until(() => this.ask('GET', `/catalog/entities/by-name/${ref}`), 60_000, 200);
  }

  /** Begins a task of a template. @returns its id */
  async begin(template: string, values: Record<string, unknown>, secrets: Record<string, string> = {}): Promise<string> {
    const body = { templateRef: `template:default/${template}`, values, secrets };
    return (await this.ask<{ id: string }>('POST', '/scaffolder/v2/tasks', body)).id;
  }

  /** What a task has in its log, without colours, with its end last if it has one. */
  async task(id: string): Promise<{ status: string; log: string[]; state: string }> {
    const { status } = await this.ask<{ status: string }>('GET', `/scaffolder/v2/tasks/${id}`);
    const events = await this.ask<TaskEvent[]>('GET', `/scaffolder/v2/tasks/${id}/events`);
    const log = events.map(({ body }) => stripVTControlCharacters(body.message ?? ''));
    return { status, log, state: JSON.stringify(events.at(-1)?.body) };
  }

  /** Waits until a task is over; back ends may be away meanwhile. */
  async end(id: string): Promise<{ status: string; log: string[]; state: string }> {
    return until(
      async () => {
        const task = await this.task(id);
        assert.ok(!['open', 'processing'].includes(task.status), `the task is still ${task.status}`);
        return task;
      },
      90_000,
      200,
    );
  }

  /** Executes a template to its end. @returns its log, its outputs by step, and whether it was completed or has failed */
  async execute(template: string, values: Record<string, unknown>): Promise<{ status: string; log: string[]; state: string }> {
    return this.end(await this.begin(template, values));
  }
}
