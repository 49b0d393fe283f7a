import * as z from 'zod';

/** How to get a shell on a machine. `on` is the name of the engine's host, where `directory` and `namespaces` are. */
export const wayInAnswer = z.object({
  on: z.string(),
  way: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('ssh'),
      host: z.string(),
      port: z.int(),
      user: z.string(),
      /** The public keys that its server may have; empty when they are not known. */
      hostKeys: z.array(z.string()),
      /** A private key on the engine's host. */
      identity: z.string().optional(),
      /** The command there that runs another one, or a shell, inside the machine. */
      enter: z.array(z.string()).optional(),
    }),
    z.object({ kind: z.literal('directory'), directory: z.string(), env: z.record(z.string(), z.string()) }),
    z.object({ kind: z.literal('namespaces'), pid: z.int().positive() }),
  ]),
});
export type WayInAnswer = z.infer<typeof wayInAnswer>;

/** A piece of a machine's console, and the byte at which the next one begins. */
export const consolePiece = z.object({ text: z.string(), next: z.int().min(0) });
export type ConsolePiece = z.infer<typeof consolePiece>;
