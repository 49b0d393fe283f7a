import type { PlannedNode, RunPlan } from '../resolved/run-plan.ts';
import { parseCloudChoice, type CloudChoice } from './cloud-choice.ts';
import { CloudRoom, type CloudOffers } from './cloud-room.ts';

export interface PlacedRun {
  /** With every choice made. */
  plan: RunPlan;
  /** What there is no room for, in words for people. */
  problems: string[];
}

/** So many machines to each cloud. */
type Counts = Map<string, number>;

/**
 * Chooses the clouds of a run's machines: the first cloud of a node that has room for all of it, else as many on each as there is room
 * for; the cheapest first, or spread, where that is asked for. Pure: the clouds have been asked before. What they have not said keeps nothing from going there.
 */
export function placeRun(plan: RunPlan, clouds: readonly CloudOffers[]): PlacedRun {
  const rooms = new Map(clouds.map((cloud) => [cloud.name, new CloudRoom(cloud)]));
  const problems: string[] = [];
  const placed: RunPlan['nodes'] = { ...plan.nodes };
  const nodes = Object.entries(plan.nodes).flatMap(([name, node]) => {
    const choice = parseCloudChoice(node.cloud, [...rooms.keys()]);
    return choice === undefined ? [] : [{ name, node, choice }];
  });
  // Those that can go to few clouds come first, so that others do not take their room.
  for (const { name, node, choice } of nodes.toSorted((one, other) => freedom(one.choice) - freedom(other.choice))) {
    const roomOf = (cloud: string): CloudRoom => rooms.get(cloud) ?? new CloudRoom({ name: cloud });
    const { counts, short, elsewhere } = distribute(choice, node, roomOf);
    if (short.length > 0) problems.push(`${name}: ${short.join('; ')}`);
    else for (const [cloud, count] of counts) roomOf(cloud).take(node, count);
    placed[name] = {
      ...node,
      choice: node.cloud,
      ...placement(choice, counts, elsewhere),
      ...pricesOf(node, [...new Set([...counts.keys(), ...elsewhere])].map(roomOf)),
    };
  }
  return { plan: { ...plan, nodes: placed }, problems };
}

/** The plan, placed as the same one was before. */
export function placedAs(plan: RunPlan, before: RunPlan): RunPlan {
  const nodes = Object.entries(plan.nodes).map(([name, node]) => {
    const { cloud = node.cloud, elsewhere, shares, prices } = before.nodes[name] ?? {};
    return [
      name,
      { ...node, choice: node.cloud, cloud, ...(elsewhere && { elsewhere }), ...(shares && { shares }), ...(prices && { prices }) },
    ];
  });
  return { ...plan, nodes: Object.fromEntries(nodes) as RunPlan['nodes'] };
}

/** The cloud that an instance is tried on first. @param index from 1 */
export function firstCloud({ cloud, shares = [] }: Pick<PlannedNode, 'cloud' | 'shares'>, index: number): string {
  const all = shares.reduce((total, { count }) => total + count, 0);
  let place = all === 0 ? 0 : (index - 1) % all;
  for (const share of shares) {
    if (place < share.count) return share.cloud;
    place -= share.count;
  }
  return cloud;
}

function pricesOf(node: PlannedNode, rooms: readonly CloudRoom[]): Pick<PlannedNode, 'prices'> {
  const prices = rooms.flatMap((room) => {
    const price = room.priceOf(node);
    return price === undefined ? [] : [[room.name, price] as const];
  });
  return prices.length === 0 ? {} : { prices: Object.fromEntries(prices) };
}

function freedom(choice: CloudChoice): number {
  return choice.kind === 'shares' ? 1 : choice.clouds.length;
}

interface Distribution {
  counts: Counts;
  /** Why it does not fit. */
  short: string[];
  /** All clouds that may be tried, in this order. */
  elsewhere: string[];
}

function distribute(choice: CloudChoice, node: PlannedNode, roomOf: (cloud: string) => CloudRoom): Distribution {
  if (choice.kind === 'shares') return inShares(choice, node, roomOf);
  const rooms = choice.clouds.map(roomOf);
  const ordered = choice.by === 'price' ? byPrice(rooms, node) : rooms;
  const { counts, rest } = choice.by === 'spread' ? evenly(ordered, node) : inOrder(ordered, node);
  const short = rest === 0 ? [] : rooms.map((room) => room.shortage(node, node.multiplicity));
  return { counts, short, elsewhere: ordered.map((room) => room.name) };
}

/** Whoever is to have a share of a cloud goes nowhere else. */
function inShares({ shares }: CloudChoice & { kind: 'shares' }, node: PlannedNode, roomOf: (cloud: string) => CloudRoom): Distribution {
  const counts: Counts = new Map();
  for (let index = 1; index <= node.multiplicity; index++) {
    const cloud = firstCloud({ cloud: '', shares }, index);
    counts.set(cloud, (counts.get(cloud) ?? 0) + 1);
  }
  const short = [...counts].flatMap(([cloud, count]) => (roomOf(cloud).for(node) < count ? [roomOf(cloud).shortage(node, count)] : []));
  return { counts, short, elsewhere: [] };
}

/** The cheapest first. What is not known, or in another currency than the first that is, comes after it in the order of preference. */
function byPrice(rooms: readonly CloudRoom[], node: PlannedNode): CloudRoom[] {
  const prices = new Map(rooms.map((room) => [room, room.priceOf(node)]));
  const currency = [...prices.values()].find((price) => price !== undefined)?.currency;
  const amount = (room: CloudRoom): number => {
    const price = prices.get(room);
    return price?.currency === currency ? (price?.amount ?? Number.MAX_VALUE) : Number.MAX_VALUE;
  };
  return rooms.toSorted((one, other) => amount(one) - amount(other));
}

/** Each machine to the cloud that has fewest of the run by then. */
function evenly(rooms: readonly CloudRoom[], node: PlannedNode): { counts: Counts; rest: number } {
  const open = rooms.map((room) => ({ room, count: 0, most: room.for(node) }));
  const of = (each: (typeof open)[number]): number => each.room.machines + each.count;
  let rest = node.multiplicity;
  for (; rest > 0; rest--) {
    const next = open
      .filter(({ count, most }) => count < most)
      .reduce<(typeof open)[number] | undefined>((least, each) => (least === undefined || of(each) < of(least) ? each : least), undefined);
    if (next === undefined) break;
    next.count += 1;
  }
  return { counts: new Map(open.filter(({ count }) => count > 0).map(({ room, count }) => [room.name, count])), rest };
}

function inOrder(rooms: readonly CloudRoom[], node: PlannedNode): { counts: Counts; rest: number } {
  const whole = rooms.find((room) => room.for(node) >= node.multiplicity);
  if (whole !== undefined) return { counts: new Map([[whole.name, node.multiplicity]]), rest: 0 };
  const counts: Counts = new Map();
  let rest = node.multiplicity;
  for (const room of rooms) {
    const count = Math.min(rest, room.for(node));
    if (count > 0) counts.set(room.name, count);
    rest -= count;
  }
  return { counts, rest };
}

function placement(choice: CloudChoice, counts: Counts, all: string[]): Pick<PlannedNode, 'cloud' | 'elsewhere' | 'shares'> {
  const shares = [...counts].map(([cloud, count]) => ({ cloud, count }));
  if (choice.kind === 'shares') return { cloud: choice.shares[0]?.cloud ?? '', shares: choice.shares };
  const cloud = shares[0]?.cloud ?? all[0] ?? '';
  if (shares.length > 1) return { cloud, shares, elsewhere: all };
  const elsewhere = all.filter((each) => each !== cloud);
  return { cloud, ...(elsewhere.length > 0 && { elsewhere }) };
}
