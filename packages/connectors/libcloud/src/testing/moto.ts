import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { until } from '@paceline/connector-host/testing';
import { freePort } from '@paceline/engine/testing';

const testbed = process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed';
const program = process.env['PACELINE_MOTO'] ?? join(testbed, 'aws', 'bin', 'moto_server');

/** Why there is no moto; undefined if there is. */
export const noMoto = existsSync(program) ? undefined : `there is no ${program}: npm run testbed -- aws`;

/** A server that answers as EC2 does. */
export interface Moto extends AsyncDisposable {
  url: string;
}

export async function openMoto(): Promise<Moto> {
  const port = await freePort();
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const server = createServer((incoming, response) => {
    void (async () => {
      const body = await text(incoming);
      const headers = { 'content-type': incoming.headers['content-type'] ?? '', authorization: incoming.headers.authorization ?? '' };
      const { method = 'GET' } = incoming;
      const answer = await fetch(`http://127.0.0.1:${port}${incoming.url}`, { method, headers, ...(body !== '' && { body }) });
      // EC2 ends the name of its namespace with a slash, moto does not, and Libcloud knows EC2's.
      const xml = (await answer.text()).replace(/(xmlns="http:\/\/ec2\.amazonaws\.com\/doc\/[\d-]+)"/, '$1/"');
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/xml' }).end(xml);
    })().catch(() => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const answers = (): Promise<boolean> =>
    fetch(url).then(
      ({ status }) => status > 0,
      () => false,
    );
  await until('moto answers', answers, 60_000);
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      child.kill();
      await once(child, 'exit');
    },
  };
}
