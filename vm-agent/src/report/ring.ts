/**
 * Buffers in turn: a report of gigabytes must not leave gigabytes of garbage. A stream holds fewer of them at once than there are.
 */
export function ring(size: number, count = 8): () => Buffer {
  const buffers = Array.from({ length: count }, () => Buffer.allocUnsafe(size));
  let turn = 0;
  return () => buffers[turn++ % count]!;
}
