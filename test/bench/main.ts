import { actions } from './actions.ts';
import { agent } from './agent.ts';
import { cluster } from './cluster.ts';
import { connected } from './connected.ts';
import { contest } from './contest.ts';
import { printContest } from './contest-table.ts';
import { curve } from './curve.ts';
import { dashboard } from './dashboard.ts';
import { paceline } from './peers/paceline.ts';
import { peers } from './peers/peers.ts';
import { machines } from './machines.ts';
import { reports } from './reports.ts';
import { buildAgain, scaling } from './scaling.ts';
import { print } from './table.ts';

const writers = 50;

/** In this order, the longest first; each can be asked for by itself: `npm run bench -- machines reports`. */
const parts = {
  async contest() {
    const kinds = ['wake', 'fan-out', 'barrier', 'exchange', 'sets'] as const;
    const all = await contest(peers, { members: 1000, writers, rounds: 5, wakes: 60, kinds });
    printContest('1,000 members, 50 writers', all, peers, paceline.name);
    // A run has at most 10,000 machines, the writer among them.
    const large = peers.filter((peer) => peer.large);
    const many = await contest(large, { members: 9999, writers: 1, rounds: 2, wakes: 0, kinds: ['fan-out', 'barrier'] });
    printContest('9,999 members', many, peers, paceline.name);
    console.log();
  },
  async curve() {
    print([...(await curve([10, 100, 1000, 10_000])), ...(await connected(1000)), ...(await connected(10_000))]);
  },
  async machines() {
    print([...(await machines('sandbox', [1, 3, 30])), ...(await machines('lxd', [1, 3, 10])), ...(await machines('qemu', [1, 2]))]);
  },
  async system() {
    print([await cluster(30), ...(await agent()), ...(await actions())]);
  },
  async reports() {
    print(await reports(1024));
  },
  async doors() {
    print([...(await dashboard(1000)), await scaling(3, 30), await buildAgain()]);
  },
};

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new Error(`There is no part ${unknown}. There are: ${Object.keys(parts).join(', ')}`);
for (const [name, measure] of Object.entries(parts)) if (asked.length === 0 || asked.includes(name)) await measure();
