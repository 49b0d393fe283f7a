import type { Socket } from 'node:net';
import { opsRequest, type OpResult, type OpsRequest } from '@paceline/api';
import { textOf, type Agent } from '@paceline/engine';
import { PacelineError } from '@paceline/model';
import { problemOf, retryAfter, toPacelineError } from './problem.ts';
import type { EventStream } from './sse.ts';

const newline = 0x0a;

/**
 * Hears what an agent says on a connection for both ways: a request a line, answered by an event each. An agent that does not
 * wait for an answer, or says more at once than it may, is cut off; it comes back and says it again.
 */
export function hearAgent(socket: Socket, out: EventStream, agent: Agent, maxBytes: number, log: (error: PacelineError) => void): void {
  let parts: Buffer[] = [];
  let size = 0;
  let busy = false;

  async function answer(line: string): Promise<void> {
    try {
      out.sendText('results', resultsText(await agent.ops(parse(line))));
    } catch (thrown) {
      const error = toPacelineError(thrown);
      log(error);
      out.send('problem', { ...problemOf(error), ...(error.status === 503 ? { retryAfter } : {}) });
    }
    busy = false;
  }

  socket.on('data', (chunk: Buffer) => {
    let from = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, from)) {
      parts.push(chunk.subarray(from, end));
      from = end + 1;
      if (busy) return void socket.destroy();
      busy = true;
      const line = (parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString() ?? '';
      [parts, size] = [[], 0];
      void answer(line);
    }
    if (from === chunk.length) return;
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > maxBytes) socket.destroy();
  });
}

function resultsText(results: OpResult[]): string {
  return `{"results":[${results.map(textOf).join(',')}]}`;
}

/** @throws PACELINE_REQUEST_INVALID */
function parse(line: string): OpsRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new PacelineError('PACELINE_REQUEST_INVALID', 'What the agent says is no JSON', { cause });
  }
  const { success, data, error } = opsRequest.safeParse(value);
  if (success) return data;
  const mistakes = error.issues.slice(0, 10).map(({ path, message }) => `${path.join('/')}: ${message}`);
  throw new PacelineError('PACELINE_REQUEST_INVALID', mistakes.join(', '));
}
