import { PacelineError } from '@paceline/model';
import { ConnectorError } from '../connector/index.ts';
import { entryOf } from '../run/entry.ts';
import type { RunFacts } from '../run/run.ts';

/** In which accounts a run has its machines. */
export interface RunAccounts {
  id: string;
  accounts: RunFacts['accounts'];
}

/** Of each other account in which any of the runs has machines of a cloud, why its credential says nothing of them. */
export function otherAccounts(cloud: string, present: string | undefined, runs: readonly RunAccounts[]): ConnectorError[] {
  const others = new Map(
    runs.flatMap(({ id, accounts }) => {
      const wanted = entryOf(accounts, cloud);
      return wanted === undefined || wanted === present ? [] : [[wanted, id] as const];
    }),
  );
  return [...others].map(([wanted, id]) => otherAccount({ cloud, wanted, present, whose: `the run ${id}` }));
}

interface Whereabouts {
  cloud: string;
  /** Where the machines are; undefined when the cloud was one without accounts. */
  wanted: string | undefined;
  /** Where the credential leads now; undefined when it is one by now. */
  present: string | undefined;
  /** Whose machines they are, for people. @default this run */
  whose?: string;
}

/**
 * The credential leads to another account than the one in which the machines are: what is not seen there says nothing of them. It
 * counts as a credential that is not good, and is tried again as that is.
 */
export function otherAccount({ cloud, wanted, present, whose = 'this run' }: Whereabouts): ConnectorError {
  const [led, lie] = [present, wanted].map((account = 'no account') => account);
  const hint = `Give the cloud ${cloud} credentials of ${lie}.`;
  const message = `the credentials for the cloud ${cloud} lead to ${led}, and the machines of ${whose} are in ${lie}`;
  return new ConnectorError('auth', message, {
    hint,
    untouched: true,
    cause: new PacelineError('PACELINE_CLOUD_ACCOUNT', message, { hint }),
  });
}
