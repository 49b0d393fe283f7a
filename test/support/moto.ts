import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { until } from './until.ts';

const program =
  process.env['PACELINE_MOTO'] ?? join(process.env['PACELINE_TESTBED'] ?? '/var/lib/paceline-testbed', 'aws', 'bin', 'moto_server');

/** Why there is no EC2 to test with; undefined if there is. */
export const whyNoMoto = existsSync(program) ? undefined : `there is no ${program}: npm run testbed -- aws`;

/** An EC2 of many accounts, and credentials for each. */
export interface Moto extends AsyncDisposable {
  url: string;
  /** Keys of a role in an account, such as a login gives them. */
  keysOf(account: string): Promise<Keys>;
}

export interface Keys {
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken: string;
}

export async function openMoto(): Promise<Moto> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${port}`;
  await until(async () => void (await fetch(`${url}/moto-api/data.json`)), 120_000);
  return {
    url,
    async keysOf(account) {
      const response = await fetch(url, {
        method: 'POST',
        // By this moto tells which of its services is meant.
        headers: { authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0' },
        body: new URLSearchParams({
          Action: 'AssumeRole',
          Version: '2011-06-15',
          RoleArn: `arn:aws:iam::${account}:role/deployer`,
          RoleSessionName: 'test',
        }),
      });
      const answer = await response.text();
      const read = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1] ?? '';
      return { AccessKeyId: read('AccessKeyId'), SecretAccessKey: read('SecretAccessKey'), SessionToken: read('SessionToken') };
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** Where AWS's tools find credentials that change behind their back: their time is always nearly over. */
export class LoggedIn {
  readonly #file: string;
  /** The value of AWS_CONFIG_FILE; its profile is called `changing`. */
  readonly configFile: string;

  constructor(folder: string) {
    this.#file = join(folder, 'credentials.json');
    this.configFile = join(folder, 'aws-config');
  }

  async with(keys: Keys): Promise<void> {
    const Expiration = new Date(Date.now() + 60_000).toISOString();
    await writeFile(this.configFile, `[profile changing]\ncredential_process = cat ${this.#file}\n`);
    await writeFile(`${this.#file}.new`, JSON.stringify({ Version: 1, ...keys, Expiration }));
    await rename(`${this.#file}.new`, this.#file);
  }
}
