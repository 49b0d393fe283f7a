import { parseKey } from '../parameters/key.ts';
import type { Finding } from '../source/diagnostic.ts';
import type { Deadlock } from './deadlock.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import { placeOf } from './script-place.ts';
import type { Step } from './timeline.ts';

/**
 * Says who waits for whom, for the place of the first wait.
 * @param outsiders somebody outside the run may set a value: `onStall: wait`
 */
export function deadlockFinding({ links, lasts }: Deadlock, facts: ParameterFacts, outsiders: boolean): Finding {
  const machines = [...new Set(links.map(({ waits }) => shortened(waits.instance, facts)))];
  const alone = machines.length === 1;
  const who = alone ? machines.join('') : `${machines.slice(0, -1).join(', ')} and ${machines.at(-1)}`;
  const head = {
    'for-ever': `${who} ${alone ? 'waits for itself' : 'wait for each other'}: ${outsiders ? 'only somebody outside can help the run on' : 'the run can never go on'}.`,
    'until-timeout': `${who} ${alone ? 'waits for itself' : 'wait for each other'} until a timeout, and then ${alone ? 'goes' : 'go'} on without the value.`,
    perhaps: `${who} may wait for ${alone ? 'itself' : 'each other'}.`,
  }[lasts];
  return {
    severity: lasts === 'for-ever' && !outsiders ? 'error' : 'warning',
    message: [head, ...linesOf(links, facts)].join('\n  '),
    hint: 'Set what others wait for before waiting for them.',
  };
}

function linesOf(links: Deadlock['links'], facts: ParameterFacts): string[] {
  const machine = ({ instance }: Step): string => shortened(instance, facts);
  const place = ({ script, call }: Step): string => placeOf(script, call.range);
  return links.map(({ waits, key, setter }, index) => {
    const next = links[(index + 1) % links.length];
    const wait = `${machine(waits)} waits ${index === 0 ? 'here' : `at ${place(waits)}`} for ${shortKey(key, facts)}`;
    if (links.length === 1 || next === undefined) return `${wait}, which it sets only after that (${place(setter)})`;
    const first = `${shortKey(next.key, facts)} (${place(next.waits)})`;
    return `${wait}, which ${machine(setter)} sets (${place(setter)}) only after it has got ${first}`;
  });
}

/** `web` for `web.1`, where there is only that. */
function shortened(instance: string, facts: ParameterFacts): string {
  const [node = instance] = instance.split('.');
  return facts.instances(node).length === 1 ? node : instance;
}

function shortKey(key: string, facts: ParameterFacts): string {
  const parsed = parseKey(key);
  return parsed?.kind === 'instance' ? `${shortened(key.slice(0, key.indexOf(':')), facts)}:${parsed.name}` : key;
}
