import {
  ConnectorError,
  type Capabilities,
  type Connector,
  type LaunchRequest,
  type Machine,
  type OwnerQuery,
  type Resource,
} from '../connector/index.ts';

/** What the next calls of a method do instead of working: fail before anything happened, or after it (a lost answer). */
export interface Fault {
  method: 'launch' | 'terminate' | 'list' | 'describe';
  when: 'before' | 'after';
  error: ConnectorError;
}

interface FakeMachine extends Machine {
  token: string;
  owner: LaunchRequest['owner'];
  userData: string;
  /** Among those of its launch, where they have their user data in common. */
  place: number;
  /** Who has it, where there are accounts. */
  account: string | undefined;
}

/** A cloud in memory, for the faults that real ones do not produce on demand. It does not know tokens: doubles are really made. */
export class FakeCloud {
  readonly machines = new Map<string, FakeMachine>();
  readonly faults: Fault[] = [];
  readonly calls: string[] = [];
  /** Machines that the cloud does not show yet, as one whose listing lags does not. */
  readonly hidden = new Set<string>();
  /** What calls of a method wait for before they answer; their effect has happened by then. */
  readonly gates: Partial<Record<Fault['method'], Promise<void>>> = {};
  readonly capabilities: Capabilities = {
    userDataBytes: 16_384,
    maxBatch: 100,
    idempotency: 'tag',
    listConsistencyMs: 0,
    console: 'none',
    reach: 'direct',
    snapshot: false,
  };
  /** Called with every machine that comes up. */
  onLaunch = (_machine: FakeMachine): void => {};
  #next = 1;
  #account: string | undefined;

  readonly connector: Connector = {
    info: { name: 'fake', version: '0.0.0', api: 1 },
    capabilities: this.capabilities,
    launch: (request) => this.#faulty('launch', () => this.#startAll(request)),
    describe: (ids) =>
      this.#faulty(
        'describe',
        () =>
          new Map(
            ids.flatMap((id) =>
              this.#visible()
                .filter((machine) => machine.id === id)
                .map((machine) => [id, machine] as const),
            ),
          ),
      ),
    list: (query) => this.#list(query),
    terminate: (ids) =>
      this.#faulty('terminate', () =>
        ids.map((id) => {
          if (this.machines.get(id)?.account === this.#account) this.machines.delete(id);
          return { id, gone: true };
        }),
      ),
    probe: async () => ({ account: 'test', regions: [] }),
  };

  /** From now on its credential leads to this account, and nothing that another one has is seen or ended. */
  enter(account: string): void {
    this.#account = account;
    this.connector.account = async () => account;
  }

  /** A request that was given up long ago has its effect. */
  arrive(request: Pick<LaunchRequest, 'token' | 'owner' | 'machines'>): void {
    this.#startAll(request);
  }

  /** Fewer than wanted, when there is no more room. */
  room = Number.POSITIVE_INFINITY;

  #startAll(request: Pick<LaunchRequest, 'token' | 'owner' | 'machines' | 'shared'>): Machine[] {
    return request.machines
      .slice(0, this.room)
      .map(({ index, name, userData }, place) => this.#start(request, index, name, request.shared?.userData ?? userData, place));
  }

  #start(request: Pick<LaunchRequest, 'token' | 'owner'>, index: number, name: string, userData: Uint8Array, place: number): Machine {
    const id = `i-${this.#next++}`;
    const machine: FakeMachine = {
      id,
      index,
      name,
      state: 'running',
      publicIps: [],
      privateIps: [`10.0.0.${this.#next}`],
      createdAt: new Date(0),
      token: request.token,
      owner: request.owner,
      userData: new TextDecoder().decode(userData),
      place,
      account: this.#account,
    };
    this.machines.set(id, machine);
    queueMicrotask(() => this.onLaunch(machine));
    return machine;
  }

  #visible(): FakeMachine[] {
    return [...this.machines.values()].filter(({ id, account }) => !this.hidden.has(id) && account === this.#account);
  }

  async *#list({ engine, run, token }: OwnerQuery): AsyncGenerator<Resource> {
    await this.#faulty('list', () => undefined);
    for (const machine of this.#visible()) {
      if (machine.owner.engine !== engine) continue;
      if ((run !== undefined && machine.owner.run !== run) || (token !== undefined && machine.token !== token)) continue;
      yield { kind: 'machine', id: machine.id, name: machine.name, owner: machine.owner, token: machine.token, machine };
    }
  }

  async #faulty<T>(method: Fault['method'], act: () => T): Promise<T> {
    this.calls.push(method);
    const index = this.faults.findIndex((fault) => fault.method === method);
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    if (fault?.when === 'before') throw fault.error;
    const result = act();
    await this.gates[method];
    if (fault !== undefined) throw fault.error;
    return result;
  }
}

export const lostAnswer = (method: Fault['method']): Fault => ({
  method,
  when: 'after',
  error: new ConnectorError('timeout', 'no answer'),
});
