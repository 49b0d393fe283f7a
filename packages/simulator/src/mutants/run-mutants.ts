import type { Mutant } from './mutant.ts';

/** Mistakes in what a run goes through: barriers, aborts, deadlines, and who is told. */
export const runMutants: Mutant[] = [
  {
    name: 'a barrier opens one state early',
    file: 'lifecycle/barrier.ts',
    search: 'return hasWork(run, instance) && instance.completed < run.facts.seq;',
    replace: 'return hasWork(run, instance) && instance.completed < run.facts.seq - 1;',
  },
  {
    name: 'a barrier forgets the last instance',
    file: 'lifecycle/barrier.ts',
    search: '  return progress.current;\n',
    replace: '  return progress.current?.index === run.instances.size ? undefined : progress.current;\n',
  },
  {
    name: 'scripts begin before every address is known',
    file: 'lifecycle/barrier.ts',
    search: 'instance.machine.address',
    replace: 'instance.machine.id',
  },
  {
    name: 'a run ends while machines are still going',
    file: 'lifecycle/barrier.ts',
    search: "if (run.facts.state === 'Finalizing') return instance.machine.status !== 'gone';",
    replace:
      "if (run.facts.state === 'Finalizing') return instance.machine.status === 'launched' || instance.machine.status === 'intended';",
  },
  {
    name: 'the second abort overwrites the first',
    file: 'lifecycle/abort.ts',
    search: 'if (run.facts.abort !== null) return changes;',
    replace: '',
  },
  {
    name: 'an abort leaves scripts no time',
    file: 'lifecycle/deadlines.ts',
    search: ' + abortGrace(run),\n        abort.at + shortestGraceMs,\n',
    replace: ',\n',
  },
  {
    name: 'a state times out in half its time',
    file: 'lifecycle/deadlines.ts',
    search: 'if (abort === null) return stateSince + run.plan.timeoutMs;',
    replace: 'if (abort === null) return stateSince + run.plan.timeoutMs / 2;',
  },
  {
    name: 'nobody waits for deadlines',
    file: 'lifecycle/deadlines.ts',
    search: 'let next = stateDeadline(run) ?? Number.POSITIVE_INFINITY;',
    replace: 'let next = Number.POSITIVE_INFINITY;',
  },
  {
    name: 'the timer is not armed after a restart',
    file: 'engine/run-work.ts',
    search: '    this.#settle();\n    this.look();\n  }',
    replace: '    this.#settle();\n  }',
  },
  {
    name: 'nobody looks after a commit',
    file: 'engine/run-work.ts',
    search: '    this.#sessions.review(stored);\n    this.look();',
    replace: '    this.#sessions.review(stored);',
  },
  {
    name: 'nobody looks when a call ends while something is stored',
    file: 'engine/run-work.ts',
    search: '    else this.#moved = true;\n',
    replace: '',
  },
  {
    name: 'a run that has ended takes more',
    file: 'engine/run-work.ts',
    search: 'if (changes.length > 0 && hasEnded(this.run)) return this.#refuseAfterEnd();',
    replace: '',
  },
  {
    name: 'a failed commit is ignored',
    file: 'engine/active-run.ts',
    search: 'if (work === undefined || run !== work.run) return;',
    replace: 'if (work !== undefined) return;',
  },
  {
    name: 'people read what is not stored yet',
    file: 'engine/active-run.ts',
    search: '    await this.#ports.journal.stored(run);\n    return seen;',
    replace: '    return seen;',
  },
  {
    name: 'a run is over before its end is stored',
    file: 'engine/active-run.ts',
    search: '    if (isOver) this.#end(run);\n    else if (this.#started) this.#work.start();',
    replace: '    if (this.#started) this.#work.start();\n    if (hasEnded(run)) this.#end(run);',
    needs: ['database.fails'],
  },
  {
    name: 'a run is taken while it is being stored',
    file: 'engine/engine.ts',
    search: '      const active = this.#activate(id);\n      try {',
    replace: '      try {',
  },
  {
    name: 'who follows is not told',
    file: 'engine/active-run.ts',
    search: 'if (writes.events.length > 0) events.notify();',
    replace: 'if (writes.events.length > 1) events.notify();',
  },
  {
    name: 'who follows gets one event twice',
    file: 'engine/feed.ts',
    search: 'cursor = items.at(-1)?.seq ?? cursor;',
    replace: 'cursor = (items.at(-1)?.seq ?? cursor) - (items.length > 1 ? 1 : 0);',
  },
  {
    name: 'who follows a run that changes hands does not hear of its end',
    file: 'engine/engine.ts',
    search: '    this.#tellFollowers([id]);\n',
    replace: '',
  },
  {
    name: 'busy scripts count as waiting',
    file: 'agents/stall-watch.ts',
    search: "if (findings.includes('busy')) {",
    replace: 'if (false) {',
  },
  {
    name: 'a stall is never called one',
    file: 'agents/stall-watch.ts',
    search: 'return [stalled(edges)];',
    replace: 'return [];',
  },
  {
    name: 'an abort is taken back by whoever aborts',
    file: 'agents/ops.ts',
    search: 'return { changes: abortChanges(run, abortKey(instance), op.reason, now), result: ok };',
    replace:
      'return { changes: [...cancelAbortChanges(run, abortKey(instance), now), ...abortChanges(run, abortKey(instance), op.reason, now)], result: ok };',
  },
];
