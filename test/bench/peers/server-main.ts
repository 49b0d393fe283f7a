/** A floor: `server-main.ts NAME PORT`. */
import { once } from 'node:events';
import { serveHttpFloor } from './http-floor.ts';
import { serveTcpFloor } from './tcp-floor.ts';

const [name, port] = process.argv.slice(2);
await once((name === 'tcp-floor' ? serveTcpFloor : serveHttpFloor)(Number(port)), 'listening');
process.send?.('listening');
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
