import { parseCloudChoice, type CloudOffers, type RunPlan } from '@paceline/model';
import type { CallFrame } from '../launch/call-limit.ts';
import type { Clouds } from '../launch/clouds.ts';
import type { Room } from '../launch/cloud-line.ts';
import { toConnectorError } from '../launch/connector-failure.ts';

/** How long a run that is asked for waits for what its clouds say of their room, in milliseconds. */
export const patienceMs = 5000;

/** What the clouds of a run have to offer, as far as they say so in time. Of those that it cannot go to only the names are told. */
export function roomFor(plan: RunPlan, clouds: Clouds, frame: CallFrame): Promise<CloudOffers[]> {
  const wanted = new Set(Object.values(plan.nodes).flatMap(({ cloud }) => cloudsOf(cloud, clouds.names)));
  return Promise.all(clouds.names.map(async (name) => ({ name, ...(wanted.has(name) && (await roomOf(clouds, name, frame))) })));
}

export function cloudsOf(cloud: string, known: readonly string[]): string[] {
  const choice = parseCloudChoice(cloud, known);
  if (choice?.kind === 'shares') return choice.shares.map((share) => share.cloud);
  return choice?.clouds ?? [];
}

async function roomOf(clouds: Clouds, name: string, frame: CallFrame): Promise<Room & Pick<CloudOffers, 'closed'>> {
  const closed = clouds.closed.find((each) => each.name === name);
  if (closed !== undefined) return { closed: closed.why.message };
  const { connector } = clouds.get(name);
  if (connector.quota === undefined && connector.offers === undefined) return {};
  const late = Promise.withResolvers<Room>();
  const cancel = frame.clock.after(patienceMs, () => {
    frame.log.warn(`${name} has not said within ${patienceMs / 1000} s what room it has: nothing is refused for want of it`);
    late.resolve({});
  });
  const answer = clouds.line(name).room(frame);
  try {
    return await Promise.race([answer, late.promise]);
  } catch (cause) {
    frame.log.warn(`${name} does not say what room it has: ${toConnectorError(cause).message}`);
    return {};
  } finally {
    cancel();
    // Nobody waits for an answer that comes too late.
    answer.catch(() => {});
  }
}
