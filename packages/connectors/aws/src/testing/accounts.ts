import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connector } from '@paceline/engine/connector';
import { connectorModule } from '../index.ts';

/** Credentials as `credential_process` writes them. */
export interface Written {
  AccessKeyId: string;
  SecretAccessKey: string;
  SessionToken?: string;
}

export interface ChangingProfile extends AsyncDisposable {
  /** A connector whose credentials are read anew again and again, as those are whose time is nearly over. */
  connect(config: Record<string, unknown>): Connector;
  renew(credentials: Written & { Version: 1 }): Promise<void>;
}

/** A profile of AWS's configuration whose credentials change behind the back of whoever uses it. */
export async function changingProfile(first: Written & { Version: 1 }): Promise<ChangingProfile> {
  const folder = await mkdtemp(join(tmpdir(), 'paceline-aws-'));
  const file = join(folder, 'credentials.json');
  const write = async (credentials: Written): Promise<void> => {
    // The SDK renews what has less than five minutes left.
    const Expiration = new Date(Date.now() + 60_000).toISOString();
    await writeFile(`${file}.new`, JSON.stringify({ ...credentials, Expiration }));
    await rename(`${file}.new`, file);
  };
  await write(first);
  await writeFile(join(folder, 'config'), `[profile changing]\ncredential_process = cat ${file}\n`);
  const before = process.env['AWS_CONFIG_FILE'];
  process.env['AWS_CONFIG_FILE'] = join(folder, 'config');
  let connector: Connector | undefined;
  return {
    connect: (config) => (connector = connectorModule.createConnector({ region: 'eu-west-3', profile: 'changing', ...config })),
    renew: write,
    async [Symbol.asyncDispose]() {
      await connector?.close?.();
      if (before === undefined) delete process.env['AWS_CONFIG_FILE'];
      else process.env['AWS_CONFIG_FILE'] = before;
      await rm(folder, { recursive: true });
    },
  };
}

/** Credentials of another account of moto: those of a role there. */
export async function assumeRole(moto: string, account: string): Promise<Written> {
  const response = await fetch(moto, {
    method: 'POST',
    // By this moto tells which of its services is meant.
    headers: { authorization: 'AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0' },
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
}
