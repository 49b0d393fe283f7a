import type { RunDetail } from '@paceline/api';

type Tone = 'busy' | 'good' | 'bad' | 'quiet';

const tones: Record<RunDetail['state'], Tone> = {
  Initializing: 'busy',
  Provisioning: 'busy',
  Executing: 'busy',
  SendingReports: 'busy',
  Ready: 'good',
  Finalizing: 'busy',
  Done: 'good',
  Aborted: 'bad',
  Cancelled: 'quiet',
};

/** The state of a run, told by its word; the colour only helps. */
export function StateBadge({ state, aborted = false }: { state: RunDetail['state']; aborted?: boolean }) {
  return (
    <span className="pl-badge" data-tone={aborted ? 'bad' : tones[state]}>
      {state}
    </span>
  );
}
