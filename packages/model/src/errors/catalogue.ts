/**
 * Every error that Paceline raises on purpose. `status` is what HTTP answers, `exit` what the command line leaves with
 * (docs/errors.md explains both). Codes are stable: tools match on them.
 */
export const errorCatalogue = {
  PACELINE_MODULE_INVALID: { status: 400, exit: 2, title: 'The module files are not valid' },
  PACELINE_MODULE_NOT_FOUND: { status: 404, exit: 2, title: 'There is no such module file' },
  PACELINE_REQUEST_INVALID: { status: 400, exit: 2, title: 'The request is not valid' },
  PACELINE_UNAUTHENTICATED: { status: 401, exit: 5, title: 'The request carries no valid credential' },
  PACELINE_FORBIDDEN: { status: 403, exit: 5, title: 'The credential does not allow this' },
  PACELINE_JOIN_REFUSED: { status: 403, exit: 5, title: 'The machine may not join' },
  PACELINE_NOT_FOUND: { status: 404, exit: 4, title: 'There is no such thing' },
  PACELINE_PARAMETER_UNKNOWN: { status: 404, exit: 4, title: 'The run has no such parameter' },
  PACELINE_RUN_ABORTED: { status: 409, exit: 8, title: 'The abort flag of the run is raised' },
  PACELINE_PARAMETER_UNSET: { status: 412, exit: 1, title: 'The parameter has no value yet' },
  PACELINE_RUN_ENDED: { status: 417, exit: 4, title: 'The run has ended' },
  PACELINE_CONFLICT: { status: 409, exit: 4, title: 'The state of the run does not allow this' },
  PACELINE_TOO_LARGE: { status: 413, exit: 2, title: 'The content is too large' },
  PACELINE_REPORT_CORRUPT: { status: 422, exit: 4, title: 'The report does not match its checksum' },
  PACELINE_RATE_LIMITED: { status: 429, exit: 6, title: 'Too many requests' },
  PACELINE_CLOUD_UNKNOWN: { status: 400, exit: 2, title: 'There is no such cloud' },
  PACELINE_CLOUD_FAILED: { status: 502, exit: 6, title: 'The cloud refused or failed' },
  PACELINE_CLOUD_ACCOUNT: { status: 502, exit: 6, title: 'The credentials are of another account than the machines' },
  PACELINE_OVER_BUDGET: { status: 409, exit: 6, title: 'It would cost more than it may' },
  PACELINE_NO_ROOM: { status: 409, exit: 6, title: 'The clouds have no room for it' },
  PACELINE_STORE_FULL: { status: 507, exit: 6, title: 'The disk of the server is full' },
  PACELINE_STORE_FAILED: { status: 503, exit: 6, title: 'The store of the server failed' },
  PACELINE_STORE_LOCKED: { status: 503, exit: 6, title: 'Another process uses this store' },
  PACELINE_UNREACHABLE: { status: 503, exit: 6, title: 'The server cannot be reached' },
  PACELINE_TIMEOUT: { status: 504, exit: 9, title: 'It took too long' },
  PACELINE_INTERNAL: { status: 500, exit: 70, title: 'Paceline made a mistake' },
} as const satisfies Record<string, { status: number; exit: number; title: string }>;

export type ErrorCode = keyof typeof errorCatalogue;
