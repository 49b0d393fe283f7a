declare const PACELINE_VERSION: string | undefined;

/** The version of this command; `0.0.0-dev` when it runs from its sources. */
export const version: string = typeof PACELINE_VERSION === 'string' ? PACELINE_VERSION : '0.0.0-dev';
