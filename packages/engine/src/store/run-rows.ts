import type { ValueCipher } from './value-cipher.ts';
import type { RunPlan } from '@paceline/model';
import { creationEvent } from '../run/create.ts';
import type { RunEvent } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';
import type { Run, RunFacts } from '../run/run.ts';
import type { LogChunk } from '../run/log.ts';
import type { StoredReport } from '../run/report.ts';
import type { Row, Statement } from './database.ts';

/** How a run's data becomes rows, and rows become a run again. */
export function insertRun(run: Run, owner: string, cipher: ValueCipher): Statement[] {
  let position = 0;
  return [
    ...useImages(run),
    {
      sql: 'INSERT INTO runs (id, name, created_at, created_by, project, tags, plan, facts, state, ended_at, owner, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      values: [
        run.id,
        run.name,
        run.createdAt,
        run.createdBy,
        run.project,
        JSON.stringify(run.tags),
        JSON.stringify(run.plan),
        JSON.stringify(run.facts),
        run.facts.state,
        run.facts.endedAt,
        owner,
        run.revision,
      ],
    },
    ...[...run.instances.values()].map((instance) => insertInstance(run, instance, position++)),
    ...[...run.parameters].map(([name, { value, secret }]) => saveParameter(run, name, value, secret, cipher)),
    insertEvent(run, creationEvent(run)),
    ...beginBuild(run),
  ];
}

/**
 * What a new run boots is there when the run is: whoever deletes an image at the same moment waits for the run, and then finds it.
 * All runs take their images in one order, so that none waits for another that waits for it.
 */
function useImages({ createdAt, plan: { nodes } }: Run): Statement[] {
  const booted = Object.values(nodes).flatMap(({ cloud, built }) => (built === undefined ? [] : [{ cloud, ...built }]));
  return [...new Map(booted.map((built) => [`${built.cloud} ${built.image}`, built]))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { cloud, digest, image }]) => ({
      sql: 'UPDATE images SET used_at = ? WHERE cloud = ? AND digest = ? AND image = ? AND lost_at IS NULL',
      values: [createdAt, cloud, digest, image],
      mustChange: 1,
    }));
}

/** Of a project's runs that build the same for one cloud, one is stored at a time: another one is refused. */
function beginBuild({ id, project, plan: { build, nodes } }: Run): Statement[] {
  if (build === undefined) return [];
  return Object.values(nodes).map(({ cloud }) => ({
    sql: 'INSERT INTO builds (project, cloud, digest, run) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    values: [project, cloud, build.digest, id],
    mustChange: 1,
  }));
}

/** A build that has ended is in nobody's way. */
export function endBuild({ id, plan: { build }, facts: { endedAt } }: Run): Statement[] {
  return build === undefined || endedAt === null ? [] : [{ sql: 'DELETE FROM builds WHERE run = ?', values: [id] }];
}

export function insertInstance(run: Run, instance: Instance, position: number): Statement {
  return {
    sql: 'INSERT INTO instances (run, name, position, data) VALUES (?, ?, ?, ?)',
    values: [run.id, instance.name, position, JSON.stringify(instance)],
  };
}

/** Part of every commit of a run: fails it when the run has been stored by somebody else meanwhile. */
export function saveFacts(run: Run): Statement {
  return {
    sql: 'UPDATE runs SET facts = ?, state = ?, ended_at = ?, revision = revision + 1 WHERE id = ? AND revision = ?',
    values: [JSON.stringify(run.facts), run.facts.state, run.facts.endedAt, run.id, run.revision],
    mustChange: 1,
  };
}

export function saveInstance(run: Run, instance: Instance): Statement {
  return {
    sql: 'UPDATE instances SET data = ? WHERE run = ? AND name = ?',
    values: [JSON.stringify(instance), run.id, instance.name],
    mustChange: 1,
  };
}

export function saveParameter(run: Run, name: string, value: string | null, secret: boolean, cipher: ValueCipher): Statement {
  if (value === null) return { sql: 'DELETE FROM parameters WHERE run = ? AND name = ?', values: [run.id, name] };
  return {
    sql: 'INSERT INTO parameters (run, name, value, secret) VALUES (?, ?, ?, ?) ON CONFLICT (run, name) DO UPDATE SET value = excluded.value, secret = excluded.secret',
    values: [run.id, name, secret ? cipher.seal(value) : value, secret ? 1 : 0],
  };
}

export function insertEvent(run: Run, { seq, at, ...body }: RunEvent): Statement {
  return { sql: 'INSERT INTO events (run, seq, at, body) VALUES (?, ?, ?, ?)', values: [run.id, seq, at, JSON.stringify(body)] };
}

export function insertLog(run: Run, chunk: LogChunk): Statement {
  const { seq, instance, source, stream, start, bytes, at, text } = chunk;
  return {
    sql: 'INSERT INTO logs (run, seq, instance, source, stream, start, bytes, at, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    values: [run.id, seq, instance, source, stream, start, bytes, at, text],
  };
}

export function insertReport(run: Run, { name, instance, bytes, sha256, at }: StoredReport): Statement {
  return {
    sql: 'INSERT INTO reports (run, name, instance, bytes, sha256, at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (run, name) DO UPDATE SET bytes = excluded.bytes, sha256 = excluded.sha256, at = excluded.at',
    values: [run.id, name, instance, bytes, sha256, at],
  };
}

/** What rows of earlier versions do not say. */
const defaults = {
  facts: { scaling: null, scalings: [], untold: null, accounts: {} },
  instance: { removing: false, told: 0, alarms: 0, tookHostKey: false },
  machine: { size: null, disks: [], wanted: null, madeImage: null, endedAt: null, instead: null },
};

export function readRun(row: Row, instances: Row[], parameters: Row[], cipher: ValueCipher): Run {
  return {
    id: String(row['id']),
    name: String(row['name']),
    createdAt: Number(row['created_at']),
    createdBy: String(row['created_by']),
    project: String(row['project']),
    tags: JSON.parse(String(row['tags'])) as string[],
    plan: JSON.parse(String(row['plan'])) as RunPlan,
    revision: Number(row['revision']),
    drivenSince: 0,
    facts: { ...defaults.facts, ...(JSON.parse(String(row['facts'])) as RunFacts) },
    instances: new Map(
      instances.map((each) => {
        const instance = JSON.parse(String(each['data'])) as Instance;
        const machine = { ...defaults.machine, ...instance.machine };
        return [instance.name, { ...defaults.instance, ...instance, machine }];
      }),
    ),
    parameters: new Map(
      parameters.map((each) => {
        const secret = each['secret'] === 1;
        const value = String(each['value']);
        return [String(each['name']), { value: secret ? cipher.open(value) : value, secret }];
      }),
    ),
  };
}

export function readEvent(row: Row): RunEvent {
  return { ...(JSON.parse(String(row['body'])) as RunEvent), seq: Number(row['seq']), at: Number(row['at']) };
}

export function readLog(row: Row): LogChunk {
  return {
    seq: Number(row['seq']),
    instance: String(row['instance']),
    source: String(row['source']),
    stream: row['stream'] === 'stderr' ? 'stderr' : 'stdout',
    start: Number(row['start']),
    bytes: Number(row['bytes']),
    at: Number(row['at']),
    text: String(row['text']),
  };
}
