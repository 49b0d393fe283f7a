import * as z from 'zod';

const absolutePath = z.string().startsWith('/', 'must be an absolute path');
const name = z.string().regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/, 'must be a name of LXD: letters, digits, dots, dashes');

const remote = z.strictObject({
  server: z.url({ protocol: /^https?$/ }).meta({ description: 'Address of the image server' }),
  protocol: z.enum(['simplestreams', 'lxd', 'incus']).default('simplestreams'),
});

/** What a user writes in the configuration of an `lxd` cloud. */
export const configSchema = z
  .strictObject({
    socket: absolutePath.optional().meta({
      description: 'Unix socket of LXD or Incus; default: the first of the usual ones that is there',
    }),
    url: z
      .url({ protocol: /^https$/ })
      .optional()
      .meta({ description: 'Address of a server elsewhere, such as https://lxd.example:8443' }),
    certificate: absolutePath.optional().meta({ description: 'PEM file of the client certificate; with `url`' }),
    key: absolutePath.optional().meta({ description: 'PEM file of its private key; with `url`' }),
    serverCertificate: absolutePath.optional().meta({
      description: "PEM file of the server's own certificate: that one and no other is accepted",
    }),
    ca: absolutePath.optional().meta({ description: "PEM file of the authorities that may have signed the server's certificate" }),
    project: name.default('default'),
    profiles: z.array(name).default(['default']).meta({ description: 'In their order; they give the machines network and disk' }),
    pool: name.optional().meta({ description: 'Storage pool of the root disks; default: what the profiles say' }),
    type: z.enum(['container', 'virtual-machine']).default('container'),
    image: z.string().min(1).optional().meta({ description: 'For modules that name none: [REMOTE:]ALIAS or fingerprint' }),
    remotes: z
      .record(name, remote)
      .default({})
      .meta({ description: 'Image servers, by the name that stands before the colon of an image' }),
  })
  .refine(({ socket, url }) => socket === undefined || url === undefined, 'either `socket` or `url`')
  .refine(({ url, certificate, key }) => url === undefined || (certificate !== undefined && key !== undefined), {
    message: '`url` needs `certificate` and `key`',
  })
  .refine(({ serverCertificate, ca }) => serverCertificate === undefined || ca === undefined, 'either `serverCertificate` or `ca`');

export type Config = z.infer<typeof configSchema>;
