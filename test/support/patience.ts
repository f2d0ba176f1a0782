/**
 * How long a test waits for what must come before it is given up. Never part of a verdict: a
 * machine may be twenty times as slow as this one was. Less than mocha's own limit
 * (package.json), so that what is missing is named.
 */
export const PATIENCE_MS = 250_000
