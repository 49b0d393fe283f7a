import type { RunSummary } from '@paceline/api';

export interface RunFilter {
  /** Words that have to be in the name, the id, a tag, the project or who started it. */
  text: string;
  show: 'all' | 'active' | 'ready' | 'failed' | 'ended';
  /** Empty for all. */
  project: string;
}

/** Whether a run fits a filter. */
export function isShown(run: RunSummary, { text, show, project }: RunFilter): boolean {
  if (project !== '' && run.project !== project) return false;
  if (show === 'active' && run.endedAt !== null) return false;
  if (show === 'ended' && run.endedAt === null) return false;
  if (show === 'ready' && run.state !== 'Ready') return false;
  if (show === 'failed' && run.state !== 'Aborted') return false;
  const searched = [run.name, run.id, run.project, run.createdBy, ...run.tags].join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => searched.includes(word));
}

export function projectsOf(runs: readonly RunSummary[]): string[] {
  return [...new Set(runs.map(({ project }) => project))].toSorted();
}
