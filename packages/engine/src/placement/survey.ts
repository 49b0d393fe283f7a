import type { Account, Offer, Quota } from '../connector/index.ts';
import type { CallFrame } from '../launch/call-limit.ts';
import { reachOf, type Cloud, type Clouds } from '../launch/clouds.ts';
import { toConnectorError } from '../launch/connector-failure.ts';

/** What can be said of a cloud now. */
export interface CloudSurvey {
  name: string;
  connector: string;
  reach: ReturnType<typeof reachOf>;
  account?: Account;
  quota?: Quota;
  offers?: Offer[];
  /** Why the rest is missing. */
  failure?: { code: string; message: string; hint?: string };
}

/** Asks all clouds whether they answer, and what can be had there. One that fails does not keep the others from being shown. */
export function surveyClouds(clouds: Clouds, frame: CallFrame): Promise<CloudSurvey[]> {
  return Promise.all(clouds.names.map((name) => survey(clouds, clouds.get(name), frame)));
}

async function survey(clouds: Clouds, cloud: Cloud, frame: CallFrame): Promise<CloudSurvey> {
  const { name, connector } = cloud;
  const known: CloudSurvey = { name, connector: connector.info.name, reach: reachOf(cloud) };
  const line = clouds.line(name);
  try {
    known.account = await line.call(frame, 'probe', (context) => connector.probe(context));
    return { ...known, ...(await line.room(frame)) };
  } catch (cause) {
    const { code, message, details } = toConnectorError(cause);
    return { ...known, failure: { code, message, ...(details.hint !== undefined && { hint: details.hint }) } };
  }
}
