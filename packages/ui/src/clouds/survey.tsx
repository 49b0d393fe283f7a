import type { CloudSurvey } from '@paceline/api';

/** What a cloud says of itself: its account, its quotas and its sizes of machines, or why it cannot be asked. */
export function Survey({ survey: { connector, reach, account, quota = {}, offers, failure } }: { survey: CloudSurvey }) {
  const limits = [
    ['Machines', quota.machines],
    ['CPUs', quota.cpus],
    ['MiB of memory', quota.memoryMiB],
  ] as const;
  return (
    <>
      <p className="pl-faint">
        {connector}, {reach}
        {account !== undefined && `: ${[account.account, ...account.regions].join(', ')}`}
      </p>
      {failure !== undefined && <p className="pl-bad">{[failure.message, failure.hint].filter(Boolean).join(' ')}</p>}
      {limits.map(([what, limit]) => limit !== undefined && <Quota key={what} what={what} limit={limit} />)}
      {offers !== undefined && <p className="pl-faint">{offers.length} sizes of machines</p>}
    </>
  );
}

function Quota({ what, limit: { used, max } }: { what: string; limit: { used: number; max: number | null } }) {
  if (max === null) {
    return (
      <p>
        {used} {what}, without a limit
      </p>
    );
  }
  return (
    <label className="pl-quota">
      {used} of {max} {what}
      <meter min={0} max={max} high={0.8 * max} optimum={0} value={used} />
    </label>
  );
}
