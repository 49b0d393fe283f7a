import type { ProxiedAnswer, ProxiedRequest } from '@paceline/engine/conformance';

/** A refusal in EC2's words. */
export function refusal(code: string, message: string, status = 400, headers: Record<string, string> = {}): ProxiedAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>0ab4aba1-0000-4000-8000-000000000000</RequestID></Response>`;
  return { status, headers: { 'content-type': 'text/xml;charset=UTF-8', ...headers }, body };
}

/** What a request to EC2 asks for: `RunInstances`. */
export function actionOf({ body }: ProxiedRequest): string {
  return new URLSearchParams(body).get('Action') ?? '';
}

/** moto keeps client tokens and does not look at them; EC2 answers to a token that it knows with what it has made. */
export function clientToken(request: ProxiedRequest): string | undefined {
  return actionOf(request) === 'RunInstances' ? (new URLSearchParams(request.body).get('ClientToken') ?? undefined) : undefined;
}

/** moto launches as few as it may, and EC2 as many as it can. */
export function asManyAsWanted(request: ProxiedRequest): string {
  if (actionOf(request) !== 'RunInstances') return request.body;
  const fields = new URLSearchParams(request.body);
  fields.set('MinCount', fields.get('MaxCount') ?? '1');
  return fields.toString();
}

/** moto breaks on tags for the snapshots of an image, which EC2 takes since 2020. */
export function withoutSnapshotTags(request: ProxiedRequest): string {
  if (actionOf(request) !== 'CreateImage') return request.body;
  const fields = new URLSearchParams(request.body);
  for (const name of [...fields.keys()]) if (name.startsWith('TagSpecification.2')) fields.delete(name);
  return fields.toString();
}
