/**
 * What a person looks at and does for each code: `yori explain` says it, docs/ERRORS.md is made of
 * it. Words alone; in backticks what can be typed, a key of the configuration or a file.
 */
import type { ErrorCode } from './errors.js'

export interface Remedy {
  readonly look: string
  readonly do: string
}

export const REMEDIES: Readonly<Record<ErrorCode, Remedy>> = {
  YORI_CLIENT_HELLO_TIMEOUT: {
    look: 'which device, `yori audit list`',
    do: 'a slow or silent client; raise `timeouts.client_hello` if it is a slow link',
  },
  YORI_CLIENT_TLS_FAILED: {
    look: '`yori ca trust-check`, `yori pinning list`',
    do: 'install the root on the device; an app that pins stays exempt',
  },
  YORI_CLIENT_GONE: {
    look: 'nothing: the client left',
    do: 'many at once: is the provider slow?',
  },
  YORI_CLIENT_RESET: {
    look: 'nothing: the client broke off',
    do: 'many from one device: its network',
  },
  YORI_CLIENT_NOT_ALLOWED: {
    look: '`access.clients`',
    do: 'name the prefix or interface that may use the proxy',
  },
  YORI_CLIENT_CROSS_SITE: {
    look: 'which page asked',
    do: 'a web page tried to reach the router: nothing to do',
  },
  YORI_PROXY_AUTHENTICATION: {
    look: '`access.users`',
    do: 'give the client a user and password',
  },
  YORI_REQUEST_MALFORMED: {
    look: 'the reason in the record',
    do: 'a client that speaks no valid HTTP; it is refused, never repaired',
  },
  YORI_REQUEST_TIMEOUT: {
    look: '`timeouts.request_header`, `timeouts.request_body`',
    do: "a stalled upload: the client's link",
  },
  YORI_REQUEST_HEAD_TOO_LARGE: {
    look: '`limits.header_bytes` and its neighbours',
    do: 'raise it if the client is known',
  },
  YORI_REQUEST_BODY_TOO_LARGE: {
    look: "`proxy.max_request_size`, the endpoint's `max_body_bytes`",
    do: 'raise it',
  },
  YORI_TRANSFER_CODING_UNKNOWN: {
    look: 'the client',
    do: 'it must send `chunked` or a length',
  },
  YORI_MISDIRECTED: {
    look: "the client's proxy settings",
    do: 'Host, SNI and CONNECT must name one host',
  },
  YORI_UNKNOWN_HOST: {
    look: '`endpoints`, `yori providers`',
    do: "add the endpoint, or correct the client's base URL",
  },
  YORI_NOT_FOUND: {
    look: 'the path',
    do: 'a wrong path on our own host',
  },
  YORI_DESTINATION_REFUSED: {
    look: '`access.allow_destinations`, `upstream.resolve`',
    do: 'name the private address if it is meant',
  },
  YORI_ENDPOINT_REFUSED: {
    look: "the endpoint's `route`",
    do: '`route: intercept` or `tunnel` allows it',
  },
  YORI_NOT_INSPECTABLE: {
    look: '`yori pinning list`, `yori ca trust-check`',
    do: 'trust the root on the device, or exempt it',
  },
  YORI_REFUSED_BY_POLICY: {
    look: '`yori policy list`, the time rules',
    do: 'bedtime, an allowance or a rule of the household, for what passes unread; a grant or exception lets it past',
  },
  YORI_EVADES_INSPECTION: {
    look: 'which device, the class `(evading)` in `yori status`',
    do: 'an app that names another host than the one it reaches, or none; exempt the device if it may',
  },
  YORI_TOO_MANY_REQUESTS: {
    look: '`limits.exchanges`, `limits.exchanges_per_endpoint`',
    do: 'which device floods? else raise them',
  },
  YORI_TOO_MANY_CONNECTIONS: {
    look: '`limits.connections` and its neighbours',
    do: 'which device? else raise them and the descriptor limit',
  },
  YORI_CLIENT_FLOOD: {
    look: 'which device',
    do: 'a broken or hostile HTTP/2 client',
  },
  YORI_WEBSOCKET_IDLE: {
    look: '`timeouts.websocket_idle`',
    do: 'raise it for long quiet sessions',
  },
  YORI_UPSTREAM_UNRESOLVED: {
    look: '`upstream.dns`, `yori doctor`',
    do: 'the resolver',
  },
  YORI_UPSTREAM_UNREACHABLE: {
    look: "the provider's status page, the router's uplink",
    do: 'wait, or mend the uplink',
  },
  YORI_UPSTREAM_CONNECT_TIMEOUT: {
    look: 'the same',
    do: 'the same',
  },
  YORI_UPSTREAM_NO_TARGET: {
    look: '`yori audit list`: which provider',
    do: 'raise `max_requests` in `gateway.providers` or `gateway.pools.waiting`, or add a target',
  },
  YORI_UPSTREAM_BUSY: {
    look: '`yori status`: how many wait at the pool, and how full its targets are',
    do: 'raise `max_requests`, `max_connections` or `gateway.pools.wait`, or add a target',
  },
  YORI_UPSTREAM_TLS_FAILED: {
    look: 'the reason in the record',
    do: 'an interception in front of YORI?',
  },
  YORI_UPSTREAM_UNTRUSTED: {
    look: 'the reason in the record; the clock; `upstream.extra_ca`',
    do: 'never switch verification off: add the missing root or mend the clock; what is asked of a certificate stands under Certificates of providers in docs/RUNBOOK.md',
  },
  YORI_UPSTREAM_CLIENT_CERTIFICATE: {
    look: 'the endpoint',
    do: 'it is tunnelled from the next connection on; for a door, set `client_cert` and `client_key` in `gateway.providers`',
  },
  YORI_UPSTREAM_TIMEOUT: {
    look: '`timeouts.response_header`, `proxy.upstream_timeout`',
    do: 'reasoning models take minutes: raise it',
  },
  YORI_UPSTREAM_CLOSED: {
    look: "the provider's status page",
    do: 'the client tries again',
  },
  YORI_UPSTREAM_MALFORMED: {
    look: 'the reason in the record',
    do: 'report it with the request id',
  },
  YORI_UPSTREAM_RESET: {
    look: 'the destination of the tunnel',
    do: "nothing of YORI's",
  },
  YORI_TUNNEL_IDLE: {
    look: '`timeouts.tunnel_idle`',
    do: 'raise it for long quiet tunnels',
  },
  YORI_CLIENT_STALLED: {
    look: 'which device',
    do: 'a client that reads nothing; `timeouts.client_read`',
  },
  YORI_UPSTREAM_LOOP: {
    look: 'DNS overrides, `upstream.resolve`',
    do: 'the name must lead to the provider for YORI itself',
  },
  YORI_CONFIG_INVALID: {
    look: 'the lines that it names',
    do: '`yori config check`; the running one keeps serving',
  },
  YORI_CONFIG_UNREADABLE: {
    look: 'path and mode of the file',
    do: "give the service's user read access",
  },
  YORI_LISTEN_FAILED: {
    look: 'who holds the port: `ss -ltnp`',
    do: 'free it, or change `listen`',
  },
  YORI_STEERING_FAILED: {
    look: '`yori pf check`, `yori doctor`',
    do: 'what it names; traffic goes direct meanwhile',
  },
  YORI_STATE_UNUSABLE: {
    look: 'owner and mode of `state_dir`',
    do: "the service's user owns it, mode 0700",
  },
  YORI_CA_UNUSABLE: {
    look: '`yori ca show`, the clock',
    do: '`yori ca rotate`; everything is tunnelled meanwhile',
  },
  YORI_CA_KEY_EXPOSED: {
    look: 'the file that it names',
    do: '`chmod 600`, and rotate if others had access',
  },
  YORI_CA_MISSING: {
    look: "the CA's folder",
    do: 'restore it from the backup; a new root must go to every device',
  },
  YORI_CA_NAME_NOT_PERMITTED: {
    look: '`ca.permitted`',
    do: 'add the name and `yori ca rotate --root`, or `route: tunnel`',
  },
  YORI_CA_PASSPHRASE: {
    look: 'the passphrase file',
    do: 'try again with the right one',
  },
  YORI_CA_BUSY: {
    look: 'another `yori ca`',
    do: 'wait for it',
  },
  YORI_AUDIT_UNAVAILABLE: {
    look: 'disk space, `audit.max_bytes`',
    do: 'free space; rows wait, then are dropped and counted',
  },
  YORI_INTERNAL: {
    look: 'the log around it',
    do: 'report it with the request id',
  },
  YORI_NOT_OVER_WEBSOCKET: {
    look: 'which program, `yori audit list`',
    do: 'nothing: programs ask by HTTP then; one that does not needs `inspect.on_uninspectable: allow` or an exempt device',
  },
  YORI_NOT_GOVERNED: {
    look: '`yori policy list`',
    do: 'put a policy into `policies.directory`, or name one of those that come with YORI in `policies.files`',
  },
  YORI_KEY_UNKNOWN: {
    look: '`yori key list`',
    do: 'make another by `yori key create`, or `yori key rotate NAME`, and give it to the program',
  },
  YORI_KEY_REQUIRED: {
    look: '`gateway.require_key`',
    do: 'make a key by `yori key create --for NAME`, and set it where the library takes the key of its provider',
  },
  YORI_KEY_MODEL_REFUSED: {
    look: '`yori key list`, `gateway.limits`',
    do: 'ask for a model that the key is for, or make another with `--models`',
  },
  YORI_KEY_BUDGET_SPENT: {
    look: '`yori key list`, `gateway.limits`',
    do: 'wait for the next month, or make another with a higher `--monthly-usd`',
  },
  YORI_KEY_RATE_LIMITED: {
    look: '`yori key list`, `gateway.limits`',
    do: 'wait as long as `Retry-After` says, or make another with a higher `--rpm` or `--tpm`',
  },
  YORI_USER_UNKNOWN: {
    look: '`access.users`',
    do: 'give the client a user and password; libraries send them as `Proxy-Authorization: Basic` in their default headers',
  },
  YORI_PROVIDER_UNKNOWN: {
    look: 'the name behind `/llm/` in the base URL',
    do: 'use a name of the catalogue (`yori providers`), or give it one in `gateway.providers`',
  },
  YORI_PROVIDER_NOT_CONFIGURED: {
    look: '`gateway.providers`',
    do: 'set `gateway.providers.NAME.base_url`',
  },
  YORI_NOT_FORWARDED: {
    look: 'what the message says of the path, the length or the signature',
    do: 'mend the client’s base URL; a longer body goes by interception',
  },
  YORI_REPLAY_MISSED: {
    look: 'what `yori exec --replay` names at its end',
    do: 'record that request as well (`yori record`), or match less strictly: `--match nearest`',
  },
  YORI_MCP_SERVER_UNKNOWN: {
    look: 'the name behind `/mcp/servers/` in the client’s URL',
    do: 'use a name of `mcp.servers`, or add it there',
  },
  YORI_MCP_UNREADABLE: {
    look: 'what the message says of the body: a key that stands twice, another charset or coding',
    do: 'have the client send one message of JSON-RPC in UTF-8, each key once',
  },
  YORI_MCP_HEADER_MISMATCH: {
    look: '`Mcp-Method`, `Mcp-Name` and `MCP-Protocol-Version` of the request',
    do: 'have whatever stands between the client and YORI leave these fields as they are',
  },
  YORI_MCP_RATE_LIMITED: {
    look: '`mcp.servers` for `calls_per_minute` and `tool_calls_per_minute`, and which device and agent call so often',
    do: 'wait as long as the error says; raise the limit where the calls are wanted',
  },
}
