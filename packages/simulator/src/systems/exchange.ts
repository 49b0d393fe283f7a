import type { Random } from '../kernel/random.ts';
import type { Action } from './recipe.ts';

/** A value that some node's scripts set, known to whoever comes later in the exchange. */
interface Offer {
  node: string;
  name: string;
  secret: boolean;
  /** Set by every instance, or by the first one alone. */
  by: 'all' | 'first';
}

export interface NodeDraft {
  name: string;
  multiplicity: number;
  actions: Action[];
  /** Outputs, and whether they are secret. */
  outputs: Map<string, boolean>;
  /** Inputs that follow a parameter, as `node:name`. */
  inputs: Map<string, string>;
}

export interface ExchangeDraft {
  nodes: NodeDraft[];
  /** Global outputs. */
  outputs: string[];
  userKeys: string[];
  /** By the parameter of a node, as `node:name`, the nodes that may know it. */
  secrets: Map<string, Set<string>>;
}

/**
 * Writes the scripts of all nodes at once, as one story: whoever waits for a value waits for one that was set earlier in it. So
 * there is an order in which all scripts come to their ends, whatever the order in which they are run.
 */
export class Exchange {
  readonly draft: ExchangeDraft;
  readonly #random: Random;
  readonly #offers: Offer[] = [];
  #next = 1;

  constructor(random: Random, nodes: { name: string; multiplicity: number }[]) {
    this.#random = random;
    this.draft = {
      nodes: nodes.map((node) => ({ ...node, actions: [], outputs: new Map(), inputs: new Map() })),
      outputs: [],
      userKeys: [],
      secrets: new Map(),
    };
  }

  write(length: number): void {
    const node = (): NodeDraft | undefined => this.#random.pick(this.draft.nodes);
    for (let line = 0; line < length; line++) {
      const one = node();
      if (one !== undefined) this.#line(one);
    }
  }

  #line(node: NodeDraft): void {
    const { actions } = node;
    const kind = this.#random.pick([
      'offer',
      'offer',
      'offer',
      'follow',
      'follow',
      'look',
      'collect',
      'collect',
      'machine',
      'global',
      'user',
      'again',
      'sleep',
      'forget',
      'waver',
      'leave',
      'small',
      'trespass',
    ]);
    switch (kind) {
      case 'offer':
        return this.#offer(node);
      case 'follow':
        return this.#follow(node);
      case 'look':
        return this.#look(node);
      case 'collect':
        return this.#collect(node);
      case 'machine':
        return this.#machine(node);
      case 'global':
        return this.#global(node);
      case 'user':
        return this.#user(node);
      case 'again':
        return this.#again(node);
      case 'sleep':
        return void actions.push({ do: 'sleep', ms: Math.round(this.#random.longTailed(3000, 40_000)) });
      case 'forget':
        return this.#forgetful(node);
      case 'waver':
        return this.#waver(node);
      case 'leave':
        return this.#leave(node);
      case 'small':
        return void actions.push(
          this.#random.pick<Action>([
            { do: 'display', text: `at line ${this.#next++}` },
            { do: 'print', bytes: this.#random.whole(1, 60) },
          ]),
        );
      case 'trespass':
        return this.#trespass(node);
    }
  }

  #offer(node: NodeDraft): void {
    const name = `p${this.#next++}`;
    const secret = this.#random.chance(0.2);
    const first = this.#random.chance(0.2);
    node.outputs.set(name, secret);
    if (secret) this.draft.secrets.set(`${node.name}:${name}`, new Set([node.name]));
    // The declaration makes it a secret, whether the script says so or not.
    const says = secret && this.#random.chance(0.5);
    node.actions.push({ do: 'set', name, ...(secret && { secret: says }), ...(first && { only: 1 }) });
    this.#offers.push({ node: node.name, name, secret, by: first ? 'first' : 'all' });
  }

  /** An input follows an offer, sometimes over the input of a third node. */
  #follow(node: NodeDraft): void {
    const offer = this.#random.pick(this.#offersOf((each) => each.node !== node.name));
    if (offer === undefined) return;
    let from = `${offer.node}:${offer.name}`;
    const between = this.draft.nodes.find(
      ({ name, inputs, multiplicity }) => name !== node.name && multiplicity > 0 && [...inputs.values()].includes(from),
    );
    if (between !== undefined && this.#random.chance(0.5)) {
      const [input] = [...between.inputs].find(([, source]) => source === from) ?? [];
      from = `${between.name}:${input}`;
    }
    const name = `i${this.#next++}`;
    node.inputs.set(name, from);
    if (offer.secret) this.draft.secrets.get(`${offer.node}:${offer.name}`)?.add(node.name);
    node.actions.push({ do: 'get', keys: [`:${name}`, ...this.#more(node)] });
  }

  /** More keys to wait for at the same time. */
  #more(node: NodeDraft): string[] {
    if (!this.#random.chance(0.3)) return [];
    const inputs = [...node.inputs.keys()].slice(0, -1).map((name) => `:${name}`);
    const more = this.#random.pick([...inputs, ':hostname']);
    return more === undefined ? [] : [more];
  }

  #look(node: NodeDraft): void {
    const offer = this.#random.pick(this.#offersOf(({ secret }) => !secret));
    if (offer === undefined) return;
    const index = offer.by === 'first' ? 1 : this.#random.whole(1, this.#multiplicityOf(offer.node));
    const key = `${offer.node}.${index}:${offer.name}`;
    node.actions.push(this.#random.chance(0.7) ? { do: 'get', keys: [key] } : { do: 'peek', key });
  }

  #collect(node: NodeDraft): void {
    const offer = this.#random.pick(this.#offersOf(({ secret, by }) => !secret && by === 'all'));
    if (offer !== undefined) node.actions.push({ do: 'get-all', node: offer.node, name: offer.name });
  }

  #machine(node: NodeDraft): void {
    const other = this.#random.pick(this.draft.nodes.filter(({ multiplicity }) => multiplicity > 0));
    if (other === undefined) return;
    const index = this.#random.whole(1, other.multiplicity);
    const owner = `${other.name}.${index}`;
    const key = this.#random.pick([':hostname', `${owner}:hostname`, `${owner}:instanceid`, `${other.name}:ids`, 'ss:state']);
    node.actions.push({ do: 'get', keys: [key] });
  }

  #global(node: NodeDraft): void {
    if (node.multiplicity === 0) return;
    const name = `o${this.#next++}`;
    this.draft.outputs.push(name);
    node.actions.push({ do: 'set-global', name, only: 1 });
    const reader = this.#random.pick(this.draft.nodes);
    reader?.actions.push({ do: 'get', keys: [`ss:${name}`] });
  }

  #user(node: NodeDraft): void {
    if (!this.#random.chance(0.5)) return;
    const name = `u${this.#next++}`;
    this.draft.userKeys.push(`ss:${name}`);
    node.actions.push({ do: 'get', keys: [`ss:${name}`] });
  }

  /** Sets an offer anew, sometimes after taking it away for a moment. */
  #again(node: NodeDraft): void {
    const offer = this.#random.pick(this.#offersOf((each) => each.node === node.name));
    if (offer === undefined) return;
    const { name, secret, by } = offer;
    const only = by === 'first' ? { only: 1 } : {};
    if (!secret && this.#random.chance(0.3)) node.actions.push({ do: 'unset', name, ...only });
    node.actions.push({ do: 'set', name, ...(secret && { secret }), ...only });
  }

  /** Sets something and takes it away for good; whoever looks later finds nothing. */
  #forgetful(node: NodeDraft): void {
    if (node.multiplicity === 0) return;
    const name = `f${this.#next++}`;
    node.outputs.set(name, false);
    node.actions.push({ do: 'set', name }, { do: 'unset', name });
    const reader = this.#random.pick(this.draft.nodes);
    reader?.actions.push({ do: 'peek', key: `${node.name}.${this.#random.whole(1, node.multiplicity)}:${name}` });
  }

  /** One member takes its value away again before the others have theirs. */
  #waver(node: NodeDraft): void {
    const reader = this.#random.pick(this.draft.nodes.filter(({ name }) => name !== node.name));
    if (node.multiplicity < 2 || reader === undefined) return;
    const name = `w${this.#next++}`;
    node.outputs.set(name, false);
    node.actions.push({ do: 'set', name, only: 1 }, { do: 'unset', name, only: 1 }, { do: 'sleep', ms: 1000 }, { do: 'set', name });
    reader.actions.push({ do: 'get-all', node: node.name, name });
  }

  /** Something that a script has left behind sets what others wait for. */
  #leave(node: NodeDraft): void {
    const reader = this.#random.pick(this.draft.nodes.filter(({ name }) => name !== node.name));
    if (node.multiplicity === 0 || reader === undefined || !this.#random.chance(0.4)) return;
    const name = `b${this.#next++}`;
    const global = this.#random.chance(0.3);
    if (global) this.draft.outputs.push(name);
    else node.outputs.set(name, false);
    node.actions.push({ do: 'leave', name, ms: this.#random.pick([3000, 20_000, 150_000, 200_000]), global, only: 1 });
    reader.actions.push({ do: 'get', keys: [`${global ? 'ss' : `${node.name}.1`}:${name}`] });
  }

  /** Lets some look at secrets that are not theirs, once it is known whose they are. */
  pry(): void {
    for (const [secret, allowed] of this.draft.secrets) {
      const [owner = '', name = ''] = secret.split(':');
      const node = this.#random.pick(this.draft.nodes.filter((each) => !allowed.has(each.name)));
      if (node !== undefined && this.#multiplicityOf(owner) > 0 && this.#random.chance(0.3))
        node.actions.push({ do: 'trespass', key: `${owner}.1:${name}`, write: false });
    }
  }

  #trespass(node: NodeDraft): void {
    const offer = this.#random.pick(this.#offersOf((each) => each.node !== node.name));
    if (offer === undefined) return;
    node.actions.push({ do: 'trespass', key: `${offer.node}.1:${offer.name}`, write: true });
  }

  #offersOf(matches: (offer: Offer) => boolean): Offer[] {
    return this.#offers.filter((offer) => this.#multiplicityOf(offer.node) > 0 && matches(offer));
  }

  #multiplicityOf(node: string): number {
    return this.draft.nodes.find(({ name }) => name === node)?.multiplicity ?? 0;
  }
}
