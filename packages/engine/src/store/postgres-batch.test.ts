import type { ClientBase, Connection, Submittable } from 'pg';
import { expect, it } from 'vitest';
import { runBatch } from './postgres-batch.ts';

/** A client whose server answers every part, and the messages that it was sent. */
function recordingClient(): { client: ClientBase; sent: string[] } {
  const sent: string[] = [];
  const note =
    (message: string) =>
    (config?: { name?: string; statement?: string }): void =>
      void sent.push([message, config?.name ?? config?.statement].filter(Boolean).join(' '));
  const connection = { parse: note('parse'), bind: note('bind'), execute: note('execute'), close: note('close'), sync: note('sync') };
  const stream = { cork: () => {}, uncork: () => {} };
  const query = (batch: Submittable & { handleReadyForQuery(): void }): void => {
    batch.submit({ ...connection, stream } as unknown as Connection);
    batch.handleReadyForQuery();
  };
  return { client: { query } as unknown as ClientBase, sent };
}

const part = (name: string) => ({ name, text: `text of ${name}`, values: [] });

it('asks for one answer to all its parts, and prepares each text once for the connection', async () => {
  const { client, sent } = recordingClient();
  await runBatch(client, [part('a'), part('a'), part('b')], 1000);
  expect(sent.splice(0)).toEqual([
    ...['close a', 'parse a', 'bind a', 'execute', 'bind a', 'execute'],
    ...['close b', 'parse b', 'bind b', 'execute'],
    'sync',
  ]);
  await runBatch(client, [part('b'), part('a'), part('')], 1000);
  expect(sent).toEqual(['bind b', 'execute', 'bind a', 'execute', 'parse', 'bind', 'execute', 'sync']);
});
