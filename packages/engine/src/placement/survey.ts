import type { Account, Offer, Quota } from '../connector/index.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import { reachOf, type Cloud, type Clouds } from '../launch/clouds.ts';
import { toConnectorError } from '../launch/connector-failure.ts';
import { otherAccounts, type RunAccounts } from '../launch/other-account.ts';
import type { RunStore } from '../store/run-store.ts';

/** What can be said of a cloud now. */
export interface CloudSurvey {
  name: string;
  connector: string;
  reach: ReturnType<typeof reachOf>;
  account?: Account;
  quota?: Quota;
  offers?: Offer[];
  /** Why the rest is missing, or says nothing of machines that there are. */
  failure?: { code: string; message: string; hint?: string };
}

/** Asks all clouds whether they answer, in which account, and what can be had there. One that fails does not keep the others from being shown. */
export async function surveyClouds(clouds: Clouds, frame: CallFrame, store: Pick<RunStore, 'accounts'>): Promise<CloudSurvey[]> {
  const runs = await store.accounts();
  return Promise.all(clouds.names.map((name) => survey(clouds, clouds.get(name), frame, runs)));
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
    const { code, message, details } = toConnectorError(cause);
    return { ...known, failure: { code, message, ...(details.hint !== undefined && { hint: details.hint }) } };
  }
}
