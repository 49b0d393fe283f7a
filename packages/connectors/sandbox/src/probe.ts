import { hostname, userInfo } from 'node:os';
import { ConnectorError, type Account, type ConnectorContext } from '@paceline/engine/connector';
import { diagnose } from './diagnosis.ts';
import { gatherFacts } from './host-facts.ts';
import type { Site } from './site.ts';

/** Checks that machines could be made here, by making as much of one as leaves nothing behind. */
export async function probeHost(site: Site, { log }: ConnectorContext): Promise<Account> {
  const { problems, notes } = diagnose(await gatherFacts(site));
  if (problems.length > 0) {
    throw new ConnectorError('unsupported', `This host cannot have sandbox machines: ${problems.map(({ what }) => what).join('; ')}`, {
      hint: problems.map(({ remedy }) => remedy).join(' '),
    });
  }
  notes.forEach((note) => log.info(note));
  return { account: `${userName()}@${hostname()}`, regions: ['local'] };
}

/** In a container the user may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 0}`;
  }
}
