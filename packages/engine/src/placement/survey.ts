import type { Account, ConnectorError, Offer, Quota } from '../connector/index.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import { reachOf, type ClosedCloud, type Cloud, type Clouds } from '../launch/clouds.ts';
import { toConnectorError } from '../launch/connector-failure.ts';
import { otherAccounts, type RunAccounts } from '../launch/other-account.ts';
import type { RunStore } from '../store/run-store.ts';

/** What can be said of a cloud now. */
export interface CloudSurvey {
  name: string;
  connector: string;
  /** Left out for a cloud that could not be opened. */
  reach?: ReturnType<typeof reachOf>;
  account?: Account;
  quota?: Quota;
  offers?: Offer[];
  /** Why the rest is missing, or says nothing of machines that there are. */
  failure?: { code: string; message: string; hint?: string };
}

/** Asks all clouds whether they answer, in which account, and what can be had there. One that fails does not keep the others from being shown. */
export async function surveyClouds(clouds: Clouds, frame: CallFrame, store: Pick<RunStore, 'accounts'>): Promise<CloudSurvey[]> {
  const runs = await store.accounts();
  const closed = new Map(clouds.closed.map((cloud) => [cloud.name, cloud]));
  return Promise.all(
    clouds.names.map(async (name) => {
      const unopened = closed.get(name);
      return unopened === undefined ? survey(clouds, clouds.get(name), frame, runs) : closedSurvey(unopened);
    }),
  );
}

function closedSurvey({ name, connector, why }: ClosedCloud): CloudSurvey {
  return { name, connector, failure: failureOf(why) };
}

async function survey(clouds: Clouds, cloud: Cloud, frame: CallFrame, runs: readonly RunAccounts[]): Promise<CloudSurvey> {
  const { name, connector } = cloud;
  const known: CloudSurvey = { name, connector: connector.info.name, reach: reachOf(cloud) };
  const line = clouds.line(name);
  try {
    known.account = await line.call(frame, 'probe', (context) => connector.probe(context));
    const [other] = otherAccounts(name, await line.account(frame), runs);
    Object.assign(known, await line.room(frame));
    if (other !== undefined) throw other;
    return known;
  } catch (cause) {
    return { ...known, failure: failureOf(toConnectorError(cause)) };
  }
}

function failureOf({ code, message, details }: ConnectorError): NonNullable<CloudSurvey['failure']> {
  return { code, message, ...(details.hint !== undefined && { hint: details.hint }) };
}
