/**
 * What the audit store must be told, with the defaults of what it need not be. Knows nothing
 * of the configuration file: the composition translates.
 */

/** What a reader of the database needs: the CLI asks the configuration for these. */
export interface AuditOptions {
  /** The database file. Its folder is made (0700) when missing. */
  readonly database: string
  /** Rows older than this go; 0 keeps them for ever. */
  readonly retentionDays: number
  /** Local time of the daily pruning, `HH:MM`. */
  readonly pruneAt: string
  /** The database may not grow past this; the oldest rows go first. 0 is no cap. */
  readonly maxBytes: number
}

export const auditDefaults = {
  retentionDays: 365,
  pruneAt: '03:00',
  maxBytes: 2 ** 30,
} as const satisfies Omit<AuditOptions, 'database'>

/** Bounds and rhythms of the main-thread side. */
export interface AuditLimits {
  /** A batch is handed over when this many rows are finished, ... */
  readonly batchRows: number
  /** ... or when a row has waited this long. An exchange shorter than this is one insert. */
  readonly batchMs: number
  /**
   * Least time between two batches, so that under load they grow and commits get cheaper: so
   * long a row may wait there.
   */
  readonly batchGapMs: number
  /** So many rows do not wait for that: more at once get no cheaper, and grow old in the heap. */
  readonly batchSoonRows: number
  /** Most rows and bytes in one batch: they bound the memory of the worker. */
  readonly batchMaxRows: number
  readonly batchMaxBytes: number
  /** Rows held at once: open exchanges, waiting and handed over. Beyond: dropped, counted. */
  readonly queueRows: number
  /** Text held at once, in UTF-16 units. Half of it may be bodies: beyond, rows go without. */
  readonly queueBytes: number
  /** Longest text of a column other than a body, in UTF-16 units; the rest is cut. */
  readonly textLength: number
  /** Longest body, in UTF-16 units; the rest is cut. */
  readonly bodyLength: number
  /** How long `start` waits for the database and `stop` for the last row. */
  readonly startMs: number
  readonly stopMs: number
  /** How often the store looks whether it is time to prune, or the file too large. */
  readonly tendMs: number
  /** How often the worker looks whether the file is still in its place. */
  readonly placeCheckMs: number
}

export const auditLimits: AuditLimits = {
  batchRows: 10,
  batchMs: 100,
  batchGapMs: 250,
  batchSoonRows: 100,
  batchMaxRows: 512,
  batchMaxBytes: 2 ** 20,
  queueRows: 10_000,
  queueBytes: 16 * 2 ** 20,
  textLength: 2048,
  bodyLength: 2 ** 20,
  startMs: 2000,
  stopMs: 5000,
  tendMs: 60_000,
  placeCheckMs: 1000,
}
