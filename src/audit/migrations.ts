/**
 * The database's shape, version by version: `PRAGMA user_version` counts how many of
 * `migrations` a file has seen. Append, never change. No foreign keys: rows of one exchange
 * and its connection are pruned apart. From the chain on, a migration that changes the values of
 * rows has to tell the chain (`evidence/chain-writer.ts`), or `yori audit verify` finds them altered.
 *
 * Indexes: measured with 60,000 rows on one core, 500 rows a transaction, time-ordered
 * request ids: 6.9 us CPU a row with the unique id alone, 10.5 with all of those here.
 * What costs more is random request ids (16.8) and small transactions (10 rows: 26.7).
 */
import type { Database } from 'better-sqlite3'
import { viewNames, views } from './views.js'

const first = `
CREATE TABLE exchanges (
  id INTEGER PRIMARY KEY,
  timestamp TEXT NOT NULL,
  request_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  event_type TEXT NOT NULL,
  device_ip TEXT NOT NULL,
  device_mac TEXT,
  device_hostname TEXT,
  endpoint_domain TEXT NOT NULL,
  http_version TEXT NOT NULL,
  http_method TEXT NOT NULL,
  http_path TEXT NOT NULL,
  user_agent TEXT,
  provider TEXT,
  model TEXT,
  response_status INTEGER,
  reason TEXT,
  code TEXT,
  policy_name TEXT,
  policy_decision TEXT,
  policy_message TEXT,
  bypass TEXT,
  stream INTEGER,
  latency_ms INTEGER,
  first_byte_ms INTEGER,
  request_bytes INTEGER NOT NULL,
  response_bytes INTEGER NOT NULL,
  prompt_tokens INTEGER,
  response_tokens INTEGER,
  cached_tokens INTEGER,
  reasoning_tokens INTEGER,
  tokens_estimated INTEGER,
  cost_micro_usd INTEGER,
  finish_reason TEXT,
  tool_calls TEXT,
  session_id TEXT,
  agent_id TEXT,
  retried INTEGER,
  truncated INTEGER,
  trailers_dropped INTEGER,
  prompt_preview TEXT,
  request_body TEXT,
  response_body TEXT,
  UNIQUE (request_id)
);
CREATE INDEX exchanges_timestamp ON exchanges (timestamp);
CREATE INDEX exchanges_device_ip ON exchanges (device_ip);
CREATE INDEX exchanges_endpoint ON exchanges (endpoint_domain);
CREATE INDEX exchanges_model ON exchanges (model);
CREATE INDEX exchanges_blocked ON exchanges (timestamp) WHERE event_type = 'block';
CREATE INDEX exchanges_open ON exchanges (timestamp) WHERE event_type = 'request';

CREATE TABLE connections (
  id INTEGER PRIMARY KEY,
  timestamp TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  device_ip TEXT NOT NULL,
  device_mac TEXT,
  device_hostname TEXT,
  client_port INTEGER NOT NULL,
  way TEXT NOT NULL,
  destination TEXT,
  server_name TEXT,
  coverage TEXT NOT NULL,
  bytes_from_client INTEGER NOT NULL,
  bytes_to_client INTEGER NOT NULL,
  exchanges INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  code TEXT
);
CREATE INDEX connections_timestamp ON connections (timestamp);

CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  timestamp TEXT NOT NULL,
  event_type TEXT NOT NULL,
  actor TEXT,
  client_ip TEXT,
  details TEXT NOT NULL
);
CREATE INDEX events_timestamp ON events (timestamp);

CREATE TABLE writer (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  run TEXT NOT NULL,
  sequence INTEGER NOT NULL
);
`

const conversations = `
ALTER TABLE exchanges ADD COLUMN cache_write_tokens INTEGER;
ALTER TABLE exchanges ADD COLUMN fragmented INTEGER;
ALTER TABLE exchanges ADD COLUMN tags TEXT;
ALTER TABLE exchanges ADD COLUMN response_id TEXT;
ALTER TABLE exchanges ADD COLUMN attachments TEXT;
ALTER TABLE exchanges ADD COLUMN uninspectable TEXT;
ALTER TABLE exchanges ADD COLUMN first_token_ms INTEGER;
ALTER TABLE exchanges ADD COLUMN tokens_per_second REAL;
CREATE INDEX exchanges_session ON exchanges (session_id) WHERE session_id IS NOT NULL;
`

/**
 * Connections of before are counted as far as their rows tell: of what was tunnelled, nobody
 * knows any more whether it had a name.
 */
const coverage = `
ALTER TABLE connections ADD COLUMN name_class TEXT;
CREATE TABLE coverage (
  day TEXT NOT NULL,
  device TEXT NOT NULL,
  hostname TEXT,
  name_class TEXT NOT NULL,
  coverage TEXT NOT NULL,
  code TEXT NOT NULL,
  connections INTEGER NOT NULL,
  exchanges INTEGER NOT NULL,
  bytes_from_client INTEGER NOT NULL,
  bytes_to_client INTEGER NOT NULL,
  PRIMARY KEY (day, device, name_class, coverage, code)
) WITHOUT ROWID;
INSERT INTO coverage
SELECT date(timestamp), coalesce(device_mac, device_ip), max(device_hostname),
  CASE WHEN coverage = 'inspected' THEN coalesce(server_name, '(unknown)')
    ELSE '(unknown)' END,
  coverage,
  CASE WHEN coverage IN ('refused', 'failed') THEN coalesce(code, '') ELSE '' END,
  count(*), sum(exchanges), sum(bytes_from_client), sum(bytes_to_client)
FROM connections GROUP BY 1, 2, 4, 5, 6;
`

const sockets = `
ALTER TABLE exchanges ADD COLUMN client_frames INTEGER;
ALTER TABLE exchanges ADD COLUMN server_frames INTEGER;
ALTER TABLE exchanges ADD COLUMN client_messages INTEGER;
ALTER TABLE exchanges ADD COLUMN server_messages INTEGER;
ALTER TABLE exchanges ADD COLUMN close_code INTEGER;
ALTER TABLE exchanges ADD COLUMN unread_messages INTEGER;
`

/** What devices, groups and policies used, by hour, day and month; see `usage-rows.ts`. */
const usage = `
CREATE TABLE usage (
  scope TEXT NOT NULL,
  name TEXT NOT NULL,
  period TEXT NOT NULL,
  requests INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  cost_micro_usd INTEGER NOT NULL,
  minutes INTEGER NOT NULL,
  PRIMARY KEY (scope, name, period)
) WITHOUT ROWID;
ALTER TABLE exchanges ADD COLUMN prompt_chars INTEGER;
ALTER TABLE exchanges ADD COLUMN tools_offered TEXT;
ALTER TABLE exchanges ADD COLUMN findings TEXT;
`

const redactions = `
ALTER TABLE exchanges ADD COLUMN redacted INTEGER;
`

const phases = `
ALTER TABLE exchanges ADD COLUMN phase TEXT;
`

/**
 * Tokens mean one thing since: input with what was cached, output with reasoning. Rows of
 * before are converted where their path tells how they were counted; where it does not,
 * `tokens_meaning` says that they stand as they were told. Which of two counts was estimated
 * nobody knows of them.
 */
const counting = `
ALTER TABLE exchanges ADD COLUMN api TEXT;
ALTER TABLE exchanges ADD COLUMN is_call INTEGER;
ALTER TABLE exchanges ADD COLUMN cache_write_hour_tokens INTEGER;
ALTER TABLE exchanges ADD COLUMN prompt_tokens_estimated INTEGER;
ALTER TABLE exchanges ADD COLUMN response_tokens_estimated INTEGER;
ALTER TABLE exchanges ADD COLUMN tokens_meaning TEXT;
UPDATE exchanges SET
  prompt_tokens_estimated = CASE WHEN prompt_tokens IS NOT NULL THEN 0 END,
  response_tokens_estimated = CASE WHEN response_tokens IS NOT NULL THEN 0 END
WHERE tokens_estimated = 0;
UPDATE exchanges SET
  prompt_tokens = prompt_tokens + coalesce(cached_tokens, 0) + coalesce(cache_write_tokens, 0),
  tokens_meaning = 'converted'
WHERE prompt_tokens IS NOT NULL AND coalesce(cached_tokens, 0) + coalesce(cache_write_tokens, 0) > 0
  AND (http_path LIKE '%/messages' OR http_path LIKE '%/publishers/anthropic/%'
    OR http_path LIKE '%/converse' OR http_path LIKE '%/converse-stream'
    OR (http_path LIKE '/model/%/invoke%' AND http_path LIKE '%anthropic%'));
UPDATE exchanges SET
  response_tokens = response_tokens + reasoning_tokens, tokens_meaning = 'converted'
WHERE response_tokens IS NOT NULL AND reasoning_tokens > 0
  AND (http_path LIKE '%:generateContent' OR http_path LIKE '%:streamGenerateContent'
    OR http_path LIKE '%/interactions%' OR http_path LIKE '%BidiGenerateContent%'
    OR reasoning_tokens > response_tokens);
UPDATE exchanges SET tokens_meaning = 'as told'
WHERE tokens_meaning IS NULL AND provider = 'xai' AND reasoning_tokens > 0;
ALTER TABLE usage ADD COLUMN meaning INTEGER NOT NULL DEFAULT 1;
`

const marks = `
ALTER TABLE exchanges ADD COLUMN found_marks TEXT;
`

const repeats = `
ALTER TABLE exchanges ADD COLUMN repeats INTEGER;
`

/** Answers that providers keep, and the row in which each is paid; see `answer-rows.ts`. */
const answers = `
ALTER TABLE exchanges ADD COLUMN counted_in TEXT;
CREATE TABLE answers (
  key TEXT PRIMARY KEY,
  request_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  device_ip TEXT NOT NULL,
  device_mac TEXT,
  policy_name TEXT,
  model TEXT,
  is_call INTEGER NOT NULL,
  prompt_tokens INTEGER,
  response_tokens INTEGER,
  cost_micro_usd INTEGER,
  estimated INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX answers_by_time ON answers (at);
`

const unseenBy = `
ALTER TABLE exchanges ADD COLUMN unseen_by TEXT;
`

/** Costs of rows before it are at the standard price, whatever tier served them. */
const tiers = `
ALTER TABLE exchanges ADD COLUMN service_tier TEXT;
`

/** Of clients on this machine. */
const programs = `
ALTER TABLE exchanges ADD COLUMN program TEXT;
ALTER TABLE exchanges ADD COLUMN program_folder TEXT;
`

/** What budgets of money count where a cost is not known. */
const costAtMost = `
ALTER TABLE exchanges ADD COLUMN cost_at_most_micro_usd INTEGER;
ALTER TABLE answers ADD COLUMN cost_at_most_micro_usd INTEGER;
ALTER TABLE usage ADD COLUMN cost_at_most_micro_usd INTEGER NOT NULL DEFAULT 0;
`

/** The client's own, as it came. */
const traces = `
ALTER TABLE exchanges ADD COLUMN traceparent TEXT;
`

/** What became of every row, link by link; see `evidence/chain-format.ts`. */
const chain = `
CREATE TABLE chain (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  entries BLOB NOT NULL,
  digest BLOB NOT NULL,
  signature BLOB
);
CREATE TABLE chain_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name BLOB NOT NULL,
  seq INTEGER NOT NULL,
  digest BLOB NOT NULL
);
`

/** By whose key of ours it came. */
const accessKeys = `
ALTER TABLE exchanges ADD COLUMN access_key TEXT;
`

/** Of a sidecar: what agents are about to do, and what nobody was asked about. */
const sidecars = `
ALTER TABLE exchanges ADD COLUMN tool_name TEXT;
ALTER TABLE exchanges ADD COLUMN ungoverned TEXT;
`

/** Of requests at a pool: who was asked, and what came of it. */
const targets = `
ALTER TABLE exchanges ADD COLUMN upstream TEXT;
ALTER TABLE exchanges ADD COLUMN attempts TEXT;
ALTER TABLE exchanges ADD COLUMN retries INTEGER;
`

/** Who served in the place of the provider that was asked. */
const fallbacks = `
ALTER TABLE exchanges ADD COLUMN fallback TEXT;
`

/** Answers out of the cache. */
const cached = `
ALTER TABLE exchanges ADD COLUMN cache TEXT;
`

/** Views alone: `enforcement_stats`, `override_stats`. */
const moreViews = ''

/** Days of coverage are those of the household's zone; those of before were days of UTC, and say so. */
const householdDays = `
CREATE TABLE coverage_by_zone (
  day TEXT NOT NULL,
  zone TEXT NOT NULL,
  device TEXT NOT NULL,
  hostname TEXT,
  name_class TEXT NOT NULL,
  coverage TEXT NOT NULL,
  code TEXT NOT NULL,
  connections INTEGER NOT NULL,
  exchanges INTEGER NOT NULL,
  bytes_from_client INTEGER NOT NULL,
  bytes_to_client INTEGER NOT NULL,
  PRIMARY KEY (day, zone, device, name_class, coverage, code)
) WITHOUT ROWID;
INSERT INTO coverage_by_zone
SELECT day, 'UTC', device, hostname, name_class, coverage, code, connections, exchanges,
  bytes_from_client, bytes_to_client
FROM coverage;
DROP TABLE coverage;
ALTER TABLE coverage_by_zone RENAME TO coverage;
`

export const migrations: readonly string[] = [
  first,
  conversations,
  coverage,
  sockets,
  usage,
  redactions,
  phases,
  counting,
  marks,
  repeats,
  answers,
  unseenBy,
  tiers,
  programs,
  costAtMost,
  traces,
  chain,
  accessKeys,
  sidecars,
  targets,
  fallbacks,
  cached,
  moreViews,
  householdDays,
]

/** The file was written by a later YORI than this one: it is left as it is. */
export class NewerDatabase extends Error {
  constructor(found: number) {
    super(`the database is of version ${found}, this YORI knows ${migrations.length}`)
    this.name = 'NewerDatabase'
  }
}

/** Brings the database to the newest version; the views are made anew with each change. */
export function migrate(db: Database): void {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > migrations.length) throw new NewerDatabase(version)
  if (version === migrations.length) return
  db.transaction(() => {
    for (const sql of migrations.slice(version)) db.exec(sql)
    for (const name of viewNames) db.exec(`DROP VIEW IF EXISTS ${name}`)
    db.exec(views)
    db.pragma(`user_version = ${migrations.length}`)
  }).immediate()
}
