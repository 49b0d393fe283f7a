import type { Layer } from '@paceline/model';
import { describe, expect, it } from 'vitest';
import { assignmentOf } from './steps.ts';
import { lost } from '../launch/found.ts';
import { launchFailed } from '../launch/launch-failed.ts';
import { machineChange } from '../launch/ledger.ts';
import { altered, alterationFailed } from '../launch/alteration.ts';
import { ConnectorError } from '../connector/index.ts';
import { readParameter } from '../parameters/read.ts';
import { imageOf, nodeOf, parameterOf, planOf } from '../testing/plans.ts';
import { TestRun } from '../testing/runs.ts';
import type { ScaleOptions, ScaleRequest } from './scale-request.ts';
import { abortChanges, cancelAbortChanges } from './abort.ts';
import { scale } from './scale.ts';

const all = ['preInstall', 'deploy', 'report', 'onVmAdd', 'onVmRemove', 'preScale', 'postScale'] as const;
const hooks = Object.fromEntries(all.map((phase) => [phase, { path: `${phase}.sh`, text: `#!/bin/sh\n# ${phase}\n` }])) as Layer['scripts'];

function plan(webs = 2) {
  return planOf(
    {
      front: nodeOf({ image: imageOf({ scripts: hooks }) }),
      web: nodeOf({
        image: imageOf({ scripts: hooks }),
        multiplicity: webs,
        maxProvisioningFailures: 1,
        parameters: {
          port: parameterOf({ value: '80' }),
          key: parameterOf({ secret: true, value: 'hush' }),
          front: parameterOf({ from: 'front.1:hostname' }),
        },
      }),
      idle: nodeOf(),
    },
    { scalable: true },
  );
}

/** A run that has got ready, whose machines do all that is asked of them when told to. */
class Scaled extends TestRun {
  constructor(webs = 2) {
    super(plan(webs));
    this.provision();
    this.completeAll();
    this.completeAll();
    expect(this.state).toBe('Ready');
    this.events.splice(0);
  }

  scale(wish: ScaleRequest['wish'], options: ScaleOptions = {}, id = `request at ${this.now++}`, node = 'web'): string[] {
    const { changes, instances } = scale(this.run, { id, node, wish }, options, this.now);
    this.apply(changes);
    return instances;
  }

  completeAll(): void {
    for (const { name } of [...this.run.instances.values()]) if (this.stepsOf(name).length > 0) this.complete(name);
  }

  /** The machines of instances that were dropped end. */
  end(): void {
    for (const instance of this.run.instances.values()) {
      if (instance.dropped && instance.machine.status !== 'gone') this.apply([machineChange(instance, { status: 'gone' })]);
    }
  }

  value(key: string): string | undefined {
    return readParameter(this.run, key).value;
  }

  environmentOf(name: string): Record<string, string> {
    const [step] = assignmentOf(this.run, this.instance(name)).steps;
    return step?.kind === 'script' ? step.env : {};
  }
}

function environment(action: string, vms: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ACTION: action, NODE: 'web', VMS: vms }).flatMap(([name, value]) => [
      [`SLIPSTREAM_SCALING_${name}`, value],
      [`PACELINE_SCALING_${name}`, value],
    ]),
  );
}

describe('adding machines', () => {
  it('lets the new ones do everything and the others their onVmAdd, and reports come from whoever did something', () => {
    const run = new Scaled();
    expect(run.scale({ add: 2 })).toEqual(['web.3', 'web.4']);
    expect(run.state).toBe('Provisioning');
    expect(run.value('web:ids')).toBe('1,2,3,4');
    expect(['web.1', 'web.3'].map((name) => run.value(`${name}:scale.state`))).toEqual(['operational', 'creating']);
    for (const name of ['web.1', 'web.3', 'front.1']) expect(run.stepsOf(name)).toEqual([]);
    expect(run.instance('web.3').machine.token).toBe(run.instance('web.4').machine.token);
    expect(run.instance('web.3').machine.token).not.toBe(run.instance('web.1').machine.token);

    for (const name of ['web.3', 'web.4']) {
      expect(run.state).toBe('Provisioning');
      run.boot(name);
      run.join(name);
    }
    expect(run.state).toBe('Executing');
    expect(run.stepsOf('web.3')).toEqual(['preInstall-0', 'deploy-0']);
    for (const name of ['web.1', 'web.2', 'front.1']) {
      expect(run.stepsOf(name)).toEqual(['onVmAdd-0']);
      expect(run.environmentOf(name)).toEqual(environment('vm_create', 'web.3 web.4'));
    }
    expect(run.environmentOf('web.3')).toEqual({});
    expect(run.stepsOf('idle.1')).toEqual([]);

    run.completeAll();
    expect(run.state).toBe('SendingReports');
    expect(['web.1', 'web.3', 'idle.1'].map((name) => run.stepsOf(name))).toEqual([
      ['report-0', 'report-upload'],
      ['report-0', 'report-upload'],
      [],
    ]);
    run.completeAll();
    expect(run.state).toBe('Ready');
    expect(run.run.facts.scaling).toBeNull();
    expect(run.value('web.3:scale.state')).toBe('operational');
    expect(run.states).toEqual(['Provisioning', 'Executing', 'SendingReports', 'Ready']);
  });

  it('gives them first values, secrets and mappings as the first ones had them', () => {
    const run = new Scaled();
    run.apply([{ kind: 'parameter', key: 'web.1:key', value: 'another', secret: true }]);
    run.scale({ add: 1 });
    expect(['port', 'key', 'front'].map((name) => run.value(`web.3:${name}`))).toEqual(['80', 'hush', run.value('front.1:hostname')]);
    expect(run.run.parameters.get('web.3:key')?.secret).toBe(true);
    expect(JSON.stringify(run.run.plan)).not.toContain('hush');
  });

  it('goes on without those that fail, as many as may', () => {
    const run = new Scaled();
    run.scale({ add: 3 });
    run.apply(launchFailed(run.instance('web.3'), new ConnectorError('quota', 'full'), 0.5)(run.run, run.now));
    expect(run.instance('web.3').dropped).toBe(true);
    for (const name of ['web.4', 'web.5']) {
      run.boot(name);
      run.join(name);
    }
    expect(run.state).toBe('Executing');
    expect(run.environmentOf('front.1')).toEqual(environment('vm_create', 'web.4 web.5'));
    expect(run.value('web:ids')).toBe('1,2,4,5');
    run.completeAll();
    run.completeAll();
    expect(run.scale({ add: 1 })).toEqual(['web.6']);
  });

  it('ends as an abort when more fail, and leaves nobody behind who never came', () => {
    const run = new Scaled();
    run.scale({ add: 2, tolerate: 0 });
    run.apply(launchFailed(run.instance('web.3'), new ConnectorError('quota', 'full'), 0.5)(run.run, run.now));
    expect(run.run.facts.abort?.reason).toContain('web.3 could not be launched');
    run.completeAll();
    expect(run.state).toBe('Ready');
    expect(['web.3', 'web.4'].map((name) => run.instance(name).dropped)).toEqual([true, true]);
    expect(run.value('web:ids')).toBe('1,2');
    expect(() => run.scale({ add: 1 })).toThrow('abort flag');
    run.apply(cancelAbortChanges(run.run, 'ss:abort', run.now));
    expect(run.scale({ add: 1 })).toEqual(['web.5']);
  });

  it('leaves nobody behind who has come and done nothing when it aborts before', () => {
    const run = new Scaled();
    run.scale({ add: 2, tolerate: 0 });
    run.boot('web.3');
    run.join('web.3');
    run.apply(launchFailed(run.instance('web.4'), new ConnectorError('quota', 'full'), 0.5)(run.run, run.now));
    run.completeAll();
    run.completeAll();
    expect([run.state, run.value('web:ids'), run.value('web.3:scale.state')]).toEqual(['Ready', '1,2', 'removing']);
    run.end();
    run.apply(cancelAbortChanges(run.run, 'ss:abort', run.now));
    expect(run.scale({ add: 1 })).toEqual(['web.5']);
  });

  it('counts the living: lost machines are made up for, and go first', () => {
    const run = new Scaled(3);
    run.apply([machineChange(run.instance('web.2'), { cloudState: 'lost' })]);
    expect(scale(run.run, { id: 'a', node: 'web', wish: { count: 3 } }, {}, run.now).instances).toEqual(['web.4']);
    expect(scale(run.run, { id: 'b', node: 'web', wish: { count: 2 } }, {}, run.now).instances).toEqual(['web.2']);
    expect(scale(run.run, { id: 'c', node: 'web', wish: { count: 1 } }, {}, run.now).instances).toEqual(['web.2', 'web.3']);
    expect(scale(run.run, { id: 'd', node: 'web', wish: { remove: 1 } }, {}, run.now).instances).toEqual(['web.2']);
  });

  it('aborts when a machine that was there before is lost meanwhile, whatever may fail', () => {
    const run = new Scaled();
    run.scale({ add: 3 });
    run.apply(lost(run.run, run.instance('web.1'), 'gone', run.now));
    expect(run.run.facts.abort?.reason).toContain('web.1 is lost');
  });
});

describe('removing machines', () => {
  it('lets those that go do preScale and report, ends them, and then lets the others do onVmRemove', () => {
    const run = new Scaled(3);
    expect(run.scale({ remove: 1 })).toEqual(['web.3']);
    expect(run.value('web:ids')).toBe('1,2');
    expect(run.value('web.3:scale.state')).toBe('removing');
    expect(run.stepsOf('web.3')).toEqual(['preScale-0', 'report-0', 'report-upload']);
    expect(run.environmentOf('web.3')).toEqual(environment('vm_remove', 'web.3'));
    expect(run.stepsOf('web.1')).toEqual([]);
    expect(run.instance('web.3').dropped).toBe(false);

    run.complete('web.3');
    expect(run.value('web.3:pre.scale.done')).toBe('true');
    expect(run.instance('web.3').dropped).toBe(true);
    expect(run.state).toBe('Provisioning');
    run.end();
    expect(run.state).toBe('Executing');
    expect(run.value('web.3:scale.state')).toBe('removed');
    for (const name of ['web.1', 'web.2', 'front.1']) {
      expect(run.stepsOf(name)).toEqual(['onVmRemove-0']);
      expect(run.environmentOf(name)).toEqual(environment('vm_remove', 'web.3'));
    }
    run.completeAll();
    run.completeAll();
    expect(run.state).toBe('Ready');
    expect([run.value('web.3:scale.state'), run.value('web.3:hostname')]).toEqual(['gone', '10.0.0.3']);
    expect(run.value('web:multiplicity')).toBe('2');
  });

  it('removes those that are named, never uses a number again, and comes down to none', () => {
    const run = new Scaled(3);
    const finish = (): void => {
      for (let left = 6; left > 0 && run.state !== 'Ready'; left--) {
        for (const { name, machine } of [...run.run.instances.values()]) {
          if (machine.status !== 'intended') continue;
          run.boot(name);
          run.join(name);
        }
        run.completeAll();
        run.end();
      }
      expect(run.state).toBe('Ready');
    };
    expect(run.scale({ removeIds: [3, 1, 3] })).toEqual(['web.3', 'web.1']);
    finish();
    expect(run.value('web:ids')).toBe('2');
    expect(run.scale({ count: 2 })).toEqual(['web.4']);
    finish();
    expect(run.scale({ count: 0 })).toEqual(['web.2', 'web.4']);
    finish();
    expect([run.value('web:ids'), run.value('web:multiplicity')]).toEqual(['', '0']);
    expect(run.scale({ add: 1 })).toEqual(['web.5']);
    finish();
  });

  it('takes the last by their numbers, not by their letters', () => {
    const run = new Scaled(11);
    expect(run.scale({ remove: 2 })).toEqual(['web.10', 'web.11']);
  });

  it('does not wait for one that is lost, and does not abort for it', () => {
    const run = new Scaled(3);
    run.scale({ remove: 1 });
    run.apply(lost(run.run, run.instance('web.3'), 'its machine has stopped', run.now));
    expect(run.run.facts.abort).toBeNull();
    run.end();
    expect(run.state).toBe('Executing');
  });

  it('brings the reports of those that go home although somebody aborts', () => {
    const run = new Scaled(3);
    run.scale({ remove: 1 });
    run.apply(abortChanges(run.run, 'ss:abort', 'enough', run.now));
    expect(run.state).toBe('Provisioning');
    run.complete('web.3');
    run.end();
    expect(run.state).toBe('SendingReports');
  });

  it('ends those that do not come to an end in time', () => {
    const run = new Scaled(3);
    run.scale({ remove: 1 });
    run.pass(30 * 60_000);
    expect(run.run.facts.abort?.reason).toContain('timed out');
    run.pass(60_000);
    expect(run.instance('web.3').dropped).toBe(true);
  });

  it('tells the others of what went while it was aborted, once that is taken back', () => {
    const run = new Scaled(3);
    run.scale({ remove: 1 });
    run.apply(abortChanges(run.run, 'ss:abort', 'enough', run.now));
    run.complete('web.3');
    run.end();
    run.completeAll();
    expect([run.state, run.stepsOf('front.1')]).toEqual(['Ready', []]);
    run.apply(cancelAbortChanges(run.run, 'ss:abort', run.now));
    expect(run.state).toBe('Executing');
    for (const name of ['front.1', 'web.1']) {
      expect(run.stepsOf(name)).toEqual(['onVmRemove-0']);
      expect(run.environmentOf(name)).toEqual(environment('vm_remove', 'web.3'));
    }
    run.completeAll();
    run.completeAll();
    expect(run.state).toBe('Ready');
    run.apply([]);
    expect(run.state).toBe('Ready');
  });

  it('asks nobody when only the numbers are to go', () => {
    const run = new Scaled(3);
    expect(run.scale({ removeIds: [2] }, { atOnce: true })).toEqual(['web.2']);
    expect(run.state).toBe('Ready');
    expect(run.instance('web.2').dropped).toBe(true);
    expect(run.value('web:ids')).toBe('1,3');
  });
});

describe('resizing machines', () => {
  it('runs preScale, lets the cloud do its part, and runs postScale, and nothing on the others', () => {
    const run = new Scaled();
    expect(run.scale({ resize: { cpus: 4 }, ids: [2] })).toEqual(['web.2']);
    expect(run.stepsOf('web.2')).toEqual(['preScale-0']);
    expect(run.environmentOf('web.2')).toEqual(environment('vm_resize', 'web.2'));
    expect(run.instance('web.2').machine.wanted).toBeNull();
    run.complete('web.2');
    expect(run.value('web.2:pre.scale.done')).toBe('true');
    expect(run.instance('web.2').machine.wanted).toEqual({ kind: 'resize', size: { cpus: 4 } });
    expect([run.state, run.value('web.2:scale.state')]).toEqual(['Provisioning', 'resizing']);
    run.apply(altered(run.instance('web.2')));
    expect([run.state, run.value('web.2:scale.state'), run.value('web.2:scale.iaas.done')]).toEqual(['Executing', 'resized', 'true']);
    expect([run.stepsOf('web.2'), run.stepsOf('web.1')]).toEqual([['postScale-0'], []]);
    run.completeAll();
    expect(run.stepsOf('web.2')).toEqual(['report-0', 'report-upload']);
    run.completeAll();
    expect([run.state, run.value('web.2:cpu.nb'), run.value('web.1:cpu.nb')]).toEqual(['Ready', '4', undefined]);
    // A second time, everything is done again.
    run.scale({ resize: { memoryMiB: 2048 }, ids: [2] });
    expect(run.value('web.2:pre.scale.done')).toBeUndefined();
    run.complete('web.2');
    expect(run.instance('web.2').machine.wanted).toEqual({ kind: 'resize', size: { memoryMiB: 2048 } });
    run.apply(altered(run.instance('web.2')));
    expect(run.instance('web.2').machine.size).toEqual({ cpus: 4, memoryMiB: 2048 });
  });

  it('is tried again when the cloud is busy, and aborts when it refuses', () => {
    const run = new Scaled();
    run.scale({ resize: { cpus: 4 }, ids: [2] });
    run.complete('web.2');
    run.apply(alterationFailed(run.run, run.instance('web.2'), new ConnectorError('throttled', 'busy'), 0, run.now));
    expect([run.run.facts.abort, run.instance('web.2').machine.wanted?.kind]).toEqual([null, 'resize']);
    run.apply(alterationFailed(run.run, run.instance('web.2'), new ConnectorError('capacity', 'no room'), 0, run.now));
    expect(run.run.facts.abort?.reason).toContain('no room');
    run.completeAll();
    run.completeAll();
    expect([run.state, run.instance('web.2').machine.wanted]).toEqual(['Ready', null]);
  });
});

describe('disks', () => {
  const attached = { id: 'vol-1', device: '/dev/vdb' };

  /** A run in which one of the machines was given a disk. */
  function withDisk(): Scaled {
    const run = new Scaled();
    run.scale({ attachDisk: 10, ids: [2] }, {}, 'the first');
    run.complete('web.2');
    run.apply(altered(run.instance('web.2'), attached));
    run.completeAll();
    run.completeAll();
    expect(run.state).toBe('Ready');
    return run;
  }

  it('are attached between preScale and postScale, which read how large it is to be and where it is', () => {
    const run = new Scaled();
    expect(run.scale({ attachDisk: 10, ids: [2] }, {}, 'the first')).toEqual(['web.2']);
    expect(run.environmentOf('web.2')).toEqual(environment('disk_attach', 'web.2'));
    expect(run.value('web.2:disk.attach.size')).toBe('10');
    expect(run.instance('web.2').machine.wanted).toBeNull();
    run.complete('web.2');
    expect(run.instance('web.2').machine.wanted).toEqual({ kind: 'attachDisk', token: 'the first', gib: 10 });
    expect(run.value('web.2:scale.state')).toBe('disk_attaching');
    run.apply(altered(run.instance('web.2'), attached));
    expect([run.value('web.2:scale.state'), run.value('web.2:disk.attached.device')]).toEqual(['disk_attached', '/dev/vdb']);
    expect([run.stepsOf('web.2'), run.stepsOf('web.1')]).toEqual([['postScale-0'], []]);
    expect(run.instance('web.2').machine.disks).toEqual([{ ...attached, gib: 10 }]);
  });

  it('are detached from the machines that have them', () => {
    const run = withDisk();
    expect(run.scale({ detachDisk: '/dev/vdb' })).toEqual(['web.2']);
    expect(run.environmentOf('web.2')).toEqual(environment('disk_detach', 'web.2'));
    expect(['disk.attach.size', 'disk.attached.device', 'disk.detach.device'].map((name) => run.value(`web.2:${name}`))).toEqual([
      undefined,
      undefined,
      '/dev/vdb',
    ]);
    run.complete('web.2');
    expect(run.value('web.2:scale.state')).toBe('disk_detaching');
    run.apply(altered(run.instance('web.2')));
    expect([run.value('web.2:scale.state'), run.instance('web.2').machine.disks]).toEqual(['disk_detached', []]);
  });

  it('that a machine was not given are not detached', () => {
    const run = withDisk();
    expect(() => run.scale({ detachDisk: '/dev/vda' })).toThrow(expect.objectContaining({ code: 'PACELINE_NOT_FOUND' }));
    expect(() => run.scale({ detachDisk: '/dev/vdb', ids: [1, 2] })).toThrow('web.1 was given no disk /dev/vdb');
  });

  it('that the cloud refuses abort the scaling, and are asked for no more', () => {
    const run = new Scaled();
    run.scale({ attachDisk: 10 });
    run.completeAll();
    run.apply(alterationFailed(run.run, run.instance('web.1'), new ConnectorError('quota', 'too many disks'), 0, run.now));
    expect(run.run.facts.abort?.reason).toContain('web.1 could not be given another disk on test: too many disks');
    run.completeAll();
    run.completeAll();
    expect([run.state, run.instance('web.2').machine.wanted]).toEqual(['Ready', null]);
  });
});

describe('a request', () => {
  it('that is made again is answered, and not carried out again', () => {
    const run = new Scaled();
    expect(run.scale({ add: 1 }, {}, 'once')).toEqual(['web.3']);
    expect(run.scale({ add: 1 }, {}, 'once')).toEqual(['web.3']);
    expect(run.value('web:multiplicity')).toBe('3');
    run.boot('web.3');
    run.join('web.3');
    run.completeAll();
    run.completeAll();
    run.scale({ removeIds: [1] }, { atOnce: true }, 'another');
    expect(run.scale({ add: 1 }, {}, 'once')).toEqual(['web.3']);
    expect(run.value('web:ids')).toBe('2,3');
  });

  it('for what is there already does nothing', () => {
    const run = new Scaled();
    for (const wish of [{ count: 2 }, { add: 0 }, { remove: 0 }]) expect(run.scale(wish)).toEqual([]);
    expect([run.state, run.events]).toEqual(['Ready', []]);
  });

  it.each([
    [{ add: 101 }, 'At most 100'],
    [{ remove: 3 }, 'web has 2 machines: 3 cannot be removed'],
    [{ removeIds: [9] }, 'no machine web.9'],
    [{ add: 2, tolerate: 2 }, 'fewer than all may fail'],
  ])('for %o is refused', (wish, message) => {
    expect(() => new Scaled().scale(wish)).toThrow(message);
  });

  it('is refused of runs that cannot be scaled, or not now', () => {
    const run = new Scaled();
    expect(() => run.scale({ add: 1 }, {}, 'x', 'nobody')).toThrow('no node nobody');
    run.scale({ add: 1 });
    expect(() => run.scale({ add: 1 })).toThrow('is Provisioning');
    const fixed = new TestRun(planOf({ web: nodeOf() }));
    expect(() => scale(fixed.run, { id: 'x', node: 'web', wish: { add: 1 } }, {}, 0)).toThrow('not scalable');
  });
});

it('a scalable run stays ready whatever its policy says', () => {
  const run = new TestRun({ ...plan(), keepRunning: 'on-error' });
  run.provision();
  for (const state of ['SendingReports', 'Ready']) {
    for (const name of run.run.instances.keys()) run.complete(name);
    expect(run.state).toBe(state);
  }
  expect(run.run.facts.outcome).toBeNull();
});
