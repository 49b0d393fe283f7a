/** Gives the user a file to keep. It is only ever saved, never shown by the browser. */
export async function save(name: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const found: BlobPart[] = [];
  for await (const piece of pieces) found.push(new Uint8Array(piece));
  const url = URL.createObjectURL(new Blob(found, { type: 'application/gzip' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
