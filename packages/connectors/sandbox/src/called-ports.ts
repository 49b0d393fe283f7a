/**
 * The ports of the URLs in a text that lead elsewhere than to the machine itself. User data names its engine by such a URL; behind a tunnel it is
 * one that leads nowhere (`.invalid`).
 */
export function calledPorts(text: string): number[] {
  const ports = [...text.matchAll(urlPattern)].map(([, protocol, digits]) => Number(digits ?? (protocol === 'https' ? 443 : 80)));
  return [...new Set(ports)].filter((port) => port >= 1 && port <= 65_535);
}

const urlPattern =
  /\b(https?):\/\/(?!(?:localhost|127\.[\d.]+|\[::1\]|[\w.-]*\.invalid)(?![\w.-]))(?:[\w.-]+|\[[\da-f:]+\])(?::(\d{1,5}))?(?![\w.:-])/g;
