import { request } from 'node:http';

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

/** Why machines of LXD are not tested here; undefined when they are. */
export const whyNoLxd = await whyNot();
