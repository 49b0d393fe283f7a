const longest = 500;

/**
 * What went wrong, in the words of the tool's own error messages.
 * @param answer lines of JSON, as the tool writes them with -json; or what else there is
 * @param secrets what is not said
 */
export function complaintOf(answer: string, secrets: readonly string[]): string {
  const lines = answer.split('\n').flatMap((line) => {
    const said = errorIn(line);
    return said === undefined ? [] : [said];
  });
  let text = (lines.length > 0 ? lines.join('; ') : (answer.trim().split('\n').at(-1) ?? '')).replaceAll(/\s+/g, ' ').trim();
  for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, '***');
  if (text === '') return 'the tool does not say why';
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Clouds say it in many ways, and providers hand on their words. */
export function isCapacity(complaint: string): boolean {
  return /insufficient\w*[ _-]?\w*[ _-]?capacity|out of (host )?capacity|no valid host|not enough (capacity|resources)|stockout|resource_?unavailable|allocation ?failed/i.test(
    complaint,
  );
}

function errorIn(line: string): string | undefined {
  try {
    const { diagnostic } = JSON.parse(line) as { diagnostic?: { severity?: string; summary?: string; detail?: string } };
    if (diagnostic?.severity !== 'error') return undefined;
    return [diagnostic.summary, diagnostic.detail].filter((text) => text !== undefined && text !== '').join(': ');
  } catch {
    return undefined;
  }
}
