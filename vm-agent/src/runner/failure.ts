import type { Step } from '@paceline/api/agent';
import type { Bench, Outcome } from './bench.ts';

/** What the agent could not do for a step: not the script's fault but the machine's, such as a full disk. */
export class AgentFailure extends Error {
  override readonly name = 'AgentFailure';

  constructor(what: string, cause: unknown) {
    super(`the agent could not ${what}: ${(cause as Error).message}`, { cause });
  }
}

/** Do what is the agent's own part of a step. @throws AgentFailure */
export function attempt<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw new AgentFailure(what, error);
  }
}

/** The end of a step that failed, in words for people. */
export function failed(bench: Bench, step: Step, error: Error): Outcome {
  return { status: 'failed', message: failureText(bench, step, error) };
}

/** What scripts do wrong is told in SlipStream's words, which people and scripts know. */
function failureText({ config, masker, store }: Bench, step: Step, error: Error): string {
  const reason = masker.hide(error.message);
  const of = `'${config.instance}'`;
  if (error instanceof AgentFailure) return `${titleOf(step, of)}: ${reason}`;
  if (step.kind === 'script') return `Failed running '${step.module}:${step.label}' script on ${of}: ${reason}`;
  if (step.kind === 'packages') return `Failed installing packages on ${of}: ${reason}`;
  const name = store.step(step.id)?.report?.name;
  return `Failed sending the report${name ? ` ${name}` : ''} of ${of}: ${reason}`;
}

function titleOf(step: Step, instance: string): string {
  if (step.kind === 'report') return `Report of ${instance}`;
  return `${step.kind === 'script' ? step.label : 'Packages'} of ${step.module}`;
}
