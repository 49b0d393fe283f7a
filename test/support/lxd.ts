import { request } from 'node:http';
import { json } from 'node:stream/consumers';

export const lxdSocket = process.env['PACELINE_LXD_SOCKET'] ?? '/var/lib/paceline-testbed/lxd/dir/unix.socket';
export const lxdImage = process.env['PACELINE_LXD_IMAGE'] ?? 'debian-12';

const answerMs = 5000;

/** A socket stays when its server has gone. @returns why no server answers there, undefined when one does */
async function whyNot(): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  request({ socketPath: lxdSocket, path: '/1.0', signal: AbortSignal.timeout(answerMs) }, (answer) => {
    answer.resume();
    resolve(undefined);
  })
    .on('error', ({ message }) => resolve(`${message}: npm run testbed -- lxd`))
    .end();
  return promise;
}

/** Asks the server. @returns its answer's metadata */
export async function askLxd(method: string, path: string, body?: object): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  request({ socketPath: lxdSocket, method, path, signal: AbortSignal.timeout(answerMs) }, (answer) => {
    json(answer)
      .then((said) => {
        const { metadata, error } = said as { metadata?: unknown; error?: string };
        if (error === undefined || error === '') resolve(metadata);
        else reject(new Error(`${method} ${path}: ${error}`));
      })
      .catch(reject);
  })
    .on('error', reject)
    .end(body === undefined ? undefined : JSON.stringify(body));
  return promise;
}

/** Why machines of LXD are not tested here; undefined when they are. */
export const whyNoLxd = await whyNot();
