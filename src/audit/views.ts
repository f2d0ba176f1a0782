/**
 * What people query with the `sqlite3` program. `audit_events` is one row an exchange: a
 * request and its response in one place, told apart by `event_type` (`request` while open,
 * then `response`, `block` or `error`). Deleting from it deletes the exchange.
 * `audit_log` is one row an event. The others are small standing reports.
 */
export const viewNames = [
  'audit_events',
  'audit_log',
  'daily_stats',
  'recent_blocks',
  'top_blocking_policies',
  'enforcement_stats',
  'override_stats',
] as const

/** What `audit_events` selects from `exchanges`: SQL that SQLite and PostgreSQL both read. */
export const auditEventsColumns = `  id, timestamp, event_type, request_id,
  device_ip AS client_ip, device_ip, device_mac, device_hostname, user_agent,
  endpoint_domain, endpoint_domain AS endpoint, http_method, http_path, model, provider,
  policy_name, policy_decision, policy_message, reason, code, phase,
  CASE
    WHEN event_type = 'block' THEN 'block'
    WHEN redacted > 0 THEN 'redact'
    WHEN bypass LIKE 'allowlist%' THEN 'allowlist_bypass'
    WHEN bypass IS NOT NULL THEN 'override'
    WHEN policy_decision = 'alert' THEN 'alert'
    ELSE 'allow'
  END AS enforcement_action,
  bypass, redacted, response_status, latency_ms, first_byte_ms,
  prompt_tokens, response_tokens, cached_tokens, cache_write_tokens,
  reasoning_tokens, tokens_estimated, prompt_tokens_estimated,
  response_tokens_estimated, cache_write_hour_tokens, tokens_meaning,
  first_token_ms, tokens_per_second,
  cost_micro_usd, cost_at_most_micro_usd, finish_reason, tool_calls, stream, request_bytes, response_bytes,
  api, is_call, counted_in, service_tier, program, program_folder, traceparent,
  access_key, tool_name, ungoverned,
  session_id, agent_id, fragmented, tags, response_id, attachments, uninspectable,
  unseen_by,
  connection_id, http_version, retried, upstream, attempts, retries, fallback, cache,
  truncated, trailers_dropped,
  client_frames, server_frames, client_messages, server_messages, close_code,
  unread_messages,
  prompt_chars, tools_offered, findings, found_marks, repeats, prompt_preview, request_body,
  response_body`

export const views = `
CREATE VIEW audit_events AS SELECT
${auditEventsColumns}
FROM exchanges;

CREATE TRIGGER audit_events_delete INSTEAD OF DELETE ON audit_events
BEGIN
  DELETE FROM exchanges WHERE id = OLD.id;
END;

CREATE VIEW audit_log AS SELECT
  id, timestamp, event_type, actor, client_ip, details
FROM events;

CREATE VIEW daily_stats AS SELECT
  date(timestamp) AS date,
  count(*) AS total,
  sum(event_type = 'response') AS responses,
  sum(event_type = 'block') AS blocks,
  sum(event_type = 'error') AS errors,
  sum(is_call) AS calls,
  sum(policy_decision = 'alert') AS alerts,
  count(DISTINCT device_ip) AS devices,
  sum(prompt_tokens) AS prompt_tokens,
  sum(response_tokens) AS response_tokens,
  sum(cost_micro_usd) AS cost_micro_usd,
  sum(cost_at_most_micro_usd) AS cost_at_most_micro_usd,
  round(avg(latency_ms), 1) AS average_latency_ms
FROM exchanges
GROUP BY date(timestamp)
ORDER BY date DESC;

CREATE VIEW recent_blocks AS SELECT
  timestamp, request_id, device_ip AS client_ip, device_hostname, endpoint_domain, model,
  policy_name, reason, prompt_preview
FROM exchanges
WHERE event_type = 'block'
ORDER BY timestamp DESC
LIMIT 50;

CREATE VIEW top_blocking_policies AS SELECT
  policy_name, count(*) AS blocks, count(DISTINCT device_ip) AS devices,
  max(timestamp) AS last_block
FROM exchanges
WHERE event_type = 'block' AND timestamp >= datetime('now', '-7 days')
GROUP BY policy_name
ORDER BY blocks DESC, policy_name;

CREATE VIEW enforcement_stats AS SELECT
  enforcement_action, count(*) AS exchanges, count(DISTINCT device_ip) AS devices,
  count(DISTINCT policy_name) AS policies, max(timestamp) AS last
FROM audit_events
WHERE timestamp >= datetime('now', '-30 days')
GROUP BY enforcement_action
ORDER BY exchanges DESC, enforcement_action;

CREATE VIEW override_stats AS SELECT
  date(timestamp) AS date,
  sum(event_type = 'override_success') AS succeeded,
  sum(event_type = 'override_failed') AS failed,
  sum(event_type = 'override_limited') AS limited,
  count(DISTINCT client_ip) AS devices
FROM events
WHERE event_type IN ('override_success', 'override_failed', 'override_limited')
GROUP BY date(timestamp)
ORDER BY date DESC;
`
