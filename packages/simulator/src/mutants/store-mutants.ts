import type { Mutant } from './mutant.ts';

/** Mistakes in what is stored, when, and by whom. */
export const storeMutants: Mutant[] = [
  {
    name: 'lost fsync: a commit is acknowledged before it is on disk',
    file: 'store/sqlite.ts',
    search: 'PRAGMA synchronous=FULL;',
    replace: 'PRAGMA synchronous=OFF;',
    needs: ['engine.power-cut'],
  },
  {
    name: 'acknowledged before it is stored',
    file: 'store/journal.ts',
    search: 'return (this.#pending.get(run) ?? this.#writing.get(run))?.done.promise ?? Promise.resolve();',
    replace: 'return Promise.resolve();',
  },
  {
    name: 'waiters see values that are not stored yet',
    file: 'store/journal.ts',
    search: 'if (before === undefined || before.size === 0) return run;',
    replace: 'return run;',
  },
  {
    name: 'what came in during a failed commit is kept',
    file: 'store/journal.ts',
    search: `    this.#pending.delete(run);
    this.#listener.failed(run, error);`,
    replace: '    this.#listener.failed(run, error);',
  },
  {
    name: 'a failed commit counts as stored',
    file: 'store/journal.ts',
    search: 'if (failures.has(run)) this.#fail(run, entry, failures.get(run));\n      else ',
    replace: '',
  },
  {
    name: 'the last writes of a commit are lost',
    file: 'store/journal.ts',
    search: '.map((instance) => saveInstance(run, instance)),',
    replace: '.slice(0, 1).map((instance) => saveInstance(run, instance)),',
  },
  {
    name: 'a commit is not told to who listens',
    file: 'store/journal.ts',
    search: 'this.#listener.committed(run, entry.writes);',
    replace: 'if (entry.writes.parameters.size !== 1) this.#listener.committed(run, entry.writes);',
  },
  {
    name: 'somebody who was overtaken is told to give up',
    file: 'store/journal.ts',
    search: "isPacelineError(cause) && cause.code === 'PACELINE_CONFLICT' ? overtaken(run, cause) : cause;",
    replace: 'cause;',
    needs: ['database.slow', 'database.partition'],
  },
  {
    name: 'the revision is not checked',
    file: 'store/run-rows.ts',
    search: 'ended_at = ?, revision = revision + 1 WHERE id = ? AND revision = ?',
    replace: 'ended_at = ?, revision = revision + 1 WHERE id = ? AND (1 OR revision = ?)',
  },
  {
    name: 'secrets are stored as they are',
    file: 'store/run-rows.ts',
    search: 'secret ? cipher.seal(value) : value',
    replace: 'value',
  },
  {
    name: 'a value that was taken away is still there after a restart',
    file: 'store/run-rows.ts',
    search: "'DELETE FROM parameters WHERE run = ? AND name = ?'",
    replace: "'DELETE FROM parameters WHERE run = ? AND name = ? AND 1 = 0'",
  },
  {
    name: 'the agent’s key is not read back',
    file: 'store/run-rows.ts',
    search: "const instance = JSON.parse(String(each['data'])) as Instance;",
    replace: "const instance = { ...(JSON.parse(String(each['data'])) as Instance), keyHash: null };",
  },
  {
    name: 'a run is taken by two at once',
    file: 'store/run-store.ts',
    search: 'WHERE id = ? AND revision = ? AND ended_at IS NULL',
    replace: 'WHERE id = ? AND (1 OR revision = ?) AND ended_at IS NULL',
  },
  {
    name: 'a replica is buried although it has given a sign of life',
    file: 'store/run-store.ts',
    search: "'DELETE FROM replicas WHERE id = ? AND beats = ?'",
    replace: "'DELETE FROM replicas WHERE id = ? AND (1 OR beats = ?)'",
    needs: ['engine.pause', 'database.slow'],
  },
  {
    name: 'a stale lease still acts',
    file: 'engine/ownership.ts',
    search: 'this.#silentMs < leaseMs - marginMs;',
    replace: 'this.#silentMs < leaseMs * 3;',
    needs: ['engine.pause-at-effect'],
  },
  {
    name: 'a lease counts from the answer, not from the question',
    file: 'engine/ownership.ts',
    search: 'this.#renewedAt = begun;',
    replace: 'this.#renewedAt = this.#now();',
    needs: ['engine.pause-at-effect'],
  },
  {
    name: 'what was asked of a cloud goes on when the lease has ended',
    file: 'engine/ownership.ts',
    search: "this.#lease.abort(new Error('the database is out of reach,",
    replace: "void (new Error('the database is out of reach,",
    needs: ['database.partition'],
  },
  {
    name: 'living replicas are taken for dead',
    file: 'engine/ownership.ts',
    search: 'clock.elapsed() >= seen.since + leaseMs',
    replace: 'clock.elapsed() >= seen.since + leaseMs / 4',
  },
  {
    name: 'the runs of a dead replica are left alone',
    file: 'engine/ownership.ts',
    search: 'run.owner !== this.#id && alive.has(run.owner))) continue;',
    replace: 'run.owner !== this.#id)) continue;',
  },
  {
    name: 'a sign of life is the same again after a lost answer',
    file: 'engine/ownership.ts',
    search: '    this.#beats += 1;\n    if (await store.beat({ id: this.#id, url: url(), beats: this.#beats })) {',
    replace: '    if (await store.beat({ id: this.#id, url: url(), beats: this.#beats + 1 })) {\n      this.#beats += 1;',
    needs: ['database.partition'],
  },
  {
    name: 'who was taken for dead goes on',
    file: 'engine/ownership.ts',
    search: '      this.#ports.dropAll();\n',
    replace: '',
  },
];
