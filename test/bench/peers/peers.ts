import { etcd } from './etcd.ts';
import { httpFloor } from './http-floor.ts';
import { nats } from './nats.ts';
import { paceline } from './paceline.ts';
import type { Peer } from './peer.ts';
import { postgres } from './postgres.ts';
import { redis } from './redis.ts';
import { tcpFloor } from './tcp-floor.ts';

export const peers: readonly Peer[] = [paceline, redis, tcpFloor, httpFloor, postgres, etcd, nats];
