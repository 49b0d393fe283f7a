import type { Client, ClientBase } from 'pg';

/** Where connections to PostgreSQL come from: a pool of our own, or that of the program which we are part of. */
export interface PostgresConnections {
  /** What people may read of the database: no password is in it. */
  readonly name: string;
  /** Resolves to a connection that nobody else uses until it is released. */
  acquire(): Promise<ClientBase>;
  /** @param isBroken nobody may get it again */
  release(client: ClientBase, isBroken: boolean): Promise<void>;
  /** A connection beside those, for who listens. */
  connect(): Promise<Client>;
  close(): Promise<void>;
}

/** How long the answer to a statement may take after the server should have given it up, in milliseconds. */
export const answerGraceMs = 2000;

/** Ends a connection without goodbyes: a server that does not answer would not hear them. */
export function drop(client: Client): void {
  client.connection.stream.destroy();
}
