import {
  checkLimits,
  machinesOf,
  type Connector,
  type ConnectorContext,
  type LaunchRequest,
  type Machine,
  type Resource,
} from '@paceline/engine/connector';
import type { Program } from './program.ts';
import { launchParams, resourceSchema, type Greeting, type OptionalMethod } from './protocol.ts';

/** A connector whose calls a program carries out. @param greeting what it said of itself */
export function createExecConnector(program: Program, { name, version, methods, capabilities }: Greeting): Connector {
  const has = (method: OptionalMethod): boolean => methods.includes(method);
  return {
    info: { name, version, api: 1 },
    capabilities: { ...capabilities, console: has('consoleLog') ? capabilities.console : 'none', snapshot: has('createImage') },
    launch: (request, context) => launch(program, capabilities, request, context),
    async describe(ids, context) {
      const { machines } = await program.call('describe', { ids }, context);
      return new Map(machines.filter(({ id }) => ids.includes(id)).map((machine) => [machine.id, machine]));
    },
    list: (query, context) => list(program, query, context),
    async terminate(ids, context) {
      const { results } = await program.call('terminate', { ids }, context);
      return ids.map((id) => ({ id, gone: results.some((result) => result.id === id && result.gone) }));
    },
    probe: (context) => program.call('probe', {}, context),
    ...(has('account') && {
      account: async (context: ConnectorContext) => (await program.call('account', {}, context)).account,
    }),
    ...(has('remove') && {
      async remove({ machine: _machine, ...resource }: Resource, context: ConnectorContext) {
        await program.call('remove', { resource }, context);
      },
    }),
    ...(has('consoleLog') && {
      consoleLog: (id: string, since: number, context: ConnectorContext) => program.call('consoleLog', { id, since }, context),
    }),
    ...(has('createImage') && {
      createImage: (id: string, image: string, context: ConnectorContext) => program.call('createImage', { id, name: image }, context),
    }),
    ...(has('resolveImage') && {
      resolveImage: async (image: string, context: ConnectorContext) => (await program.call('resolveImage', { image }, context)).means,
    }),
    ...(has('resize') && {
      async resize(id: string, size: { cpus?: number; memoryMiB?: number }, context: ConnectorContext) {
        await program.call('resize', { id, ...size }, context);
      },
    }),
    ...(has('attachDisk') && {
      attachDisk: (id: string, disk: { token: string; gib: number }, context: ConnectorContext) =>
        program.call('attachDisk', { id, ...disk }, context),
    }),
    ...(has('detachDisk') && {
      async detachDisk(id: string, disk: string, context: ConnectorContext) {
        await program.call('detachDisk', { id, disk }, context);
      },
    }),
    close: () => program.close(),
  };
}

async function launch(
  program: Program,
  capabilities: Greeting['capabilities'],
  request: LaunchRequest,
  context: ConnectorContext,
): Promise<Machine[]> {
  checkLimits(request, capabilities);
  for (const { userData } of request.machines) program.redaction.hideUserData(userData);
  const { machines } = await program.call('launch', launchParams(request), context);
  return machinesOf(request, machines);
}

/** The items of a list as they come, and an error when it breaks off: never a part that looks whole. */
async function* list(program: Program, query: object, context: ConnectorContext): AsyncGenerator<Resource> {
  const come: unknown[] = [];
  let wake = (): void => {};
  let end: { error?: unknown } | undefined;
  const aborter = new AbortController();
  const stop = (): void => aborter.abort(context.signal.reason);
  context.signal.addEventListener('abort', stop);
  if (context.signal.aborted) stop();
  program
    .call('list', query, { ...context, signal: aborter.signal }, (value) => {
      come.push(value);
      wake();
    })
    .then(
      () => (end = {}),
      (error: unknown) => (end = { error }),
    )
    .finally(() => wake());
  try {
    for (;;) {
      for (const value of come.splice(0)) yield program.check('list', resourceSchema, value);
      if (end !== undefined && come.length === 0) break;
      if (end === undefined) await new Promise<void>((resolve) => (wake = resolve));
    }
    if ('error' in end) throw end.error;
  } finally {
    // Whoever has seen enough leaves the rest of it.
    aborter.abort();
    context.signal.removeEventListener('abort', stop);
  }
}
