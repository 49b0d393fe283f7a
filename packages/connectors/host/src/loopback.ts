/** An address of the loopback interface with a port. */
export interface LoopbackAddress {
  address: string;
  port: number;
}

/**
 * The loopback addresses of the URLs in a text. User data names its engine by such a URL when that runs on this host; in the
 * machine it would mean the machine itself, so the connector makes it lead out.
 */
export function loopbackAddresses(text: string): LoopbackAddress[] {
  const found = new Map<string, LoopbackAddress>();
  for (const [, protocol, name = '', digits] of text.matchAll(urlPattern)) {
    const port = digits === undefined ? (protocol === 'https' ? 443 : 80) : Number(digits);
    if (port < 1 || port > 65_535) {
      continue;
    }
    for (const address of name === 'localhost' ? ['127.0.0.1', '::1'] : [name.replace(/[[\]]/g, '')]) {
      found.set(`${address} ${port}`, { address, port });
    }
  }
  return [...found.values()];
}

const urlPattern = /\b(https?):\/\/(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::(\d{1,5}))?(?![\w.:-])/g;
