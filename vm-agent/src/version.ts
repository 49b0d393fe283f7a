declare const PACELINE_VERSION: string | undefined;

/** Set by the build; sources run by a test have none. */
export const version: string = typeof PACELINE_VERSION === 'string' ? PACELINE_VERSION : '0.0.0-source';
