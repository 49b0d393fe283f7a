import { expect, test } from 'vitest';
import { refusal } from './failure.ts';

function refused(status: number, text: string, retryAfter: string | null = null) {
  const { code, message, details } = refusal('launch web-1', { status, text, requestId: 'req-1', retryAfter });
  return { code, message, retryAfterMs: details.retryAfterMs };
}

test.each([
  [
    'Nova',
    403,
    '{"forbidden": {"code": 403, "message": "Quota exceeded for cores: Requested 4, but already used 8 of 10 cores"}}',
    'quota',
  ],
  [
    'Nova',
    403,
    '{"forbidden": {"code": 403, "message": "Policy doesn\'t allow os_compute_api:servers:create to be performed."}}',
    'forbidden',
  ],
  ['Nova', 400, '{"badRequest": {"code": 400, "message": "Can not find requested image"}}', 'notFound'],
  ['Nova', 400, '{"badRequest": {"code": 400, "message": "marker [0f] not found"}}', 'unavailable'],
  ['Nova', 400, '{"badRequest": {"code": 400, "message": "Security group 0f not found."}}', 'unavailable'],
  [
    'Neutron',
    409,
    '{"NeutronError": {"type": "OverQuota", "message": "Quota exceeded for resources: [\'port\'].", "detail": ""}}',
    'quota',
  ],
  [
    'Neutron',
    409,
    '{"NeutronError": {"type": "IpAddressGenerationFailure", "message": "No more IP addresses available on network 0f.", "detail": ""}}',
    'capacity',
  ],
  ['Neutron', 409, '{"NeutronError": {"type": "SecurityGroupInUse", "message": "Security Group 0f in use.", "detail": ""}}', 'conflict'],
  [
    'Keystone',
    401,
    '{"error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}}',
    'auth',
  ],
  ['Glance', 404, '<html><head><title>404 Not Found</title></head><body>No image found with ID 0f</body></html>', 'notFound'],
  ['a proxy', 502, '<html><title>502 Bad Gateway</title></html>', 'unavailable'],
])('%s says %i: %s', (_who, status, text, code) => {
  expect(refused(status, text).code).toBe(code);
});

test('what the service says is in the message, in one line, and user data is not', () => {
  const text = JSON.stringify({
    badRequest: { code: 400, message: `Invalid input for field/attribute user_data. Value: ${'QUFB'.repeat(30_000)}. too long` },
  });
  expect(refused(400, text).message).toMatchInlineSnapshot(
    `"Could not launch web-1: Invalid input for field/attribute user_data. It is too long or not base64."`,
  );
  expect(refused(409, '{"NeutronError": {"type": "X", "message": "first\\nsecond"}}').message).toMatchInlineSnapshot(
    `"Could not launch web-1: first"`,
  );
  expect(refused(404, '<html><title>Not Found</title></html>').message).toMatchInlineSnapshot(`"Could not launch web-1: Not Found"`);
  expect(refused(503, '').message).toMatchInlineSnapshot(`"Could not launch web-1: the answer was 503"`);
});

test('413 is a quota, and with a time it is about speed', () => {
  expect(refused(413, '{"overLimit": {"message": "Over limit", "code": 413}}')).toMatchObject({ code: 'quota', retryAfterMs: undefined });
  expect(refused(413, '{"overLimit": {"message": "Over limit", "code": 413}}', '30')).toMatchObject({
    code: 'throttled',
    retryAfterMs: 30_000,
  });
});
