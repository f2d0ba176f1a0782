/** What the pipeline decides and counts by, which a connection keeps for its whole life. */
import type { Prefixes } from '../../core/address.js'
import type { CodingLimits } from '../../http/content-coding.js'
import type { JsonLimits } from '../../json/json-bounds.js'
import type { AccessPolicy } from '../../policy/access.js'
import type { DoorTable } from '../../policy/doors.js'
import type { McpDoors } from '../../policy/mcp-doors.js'
import type { RoutePolicy } from '../../policy/route.js'

/** One generation of configuration, immutable. */
export interface PolicySnapshot {
  readonly mode: 'observe' | 'advisory' | 'enforce'
  readonly enforcementEnabled: boolean
  readonly routes: RoutePolicy
  readonly access: AccessPolicy
  /** Of the gateway: `/llm/<provider>/...`. */
  readonly doors: DoorTable
  /** Of the Model Context Protocol: `/mcp/...`. */
  readonly mcp: McpDoors
  /** `gateway.sidecar`: nothing passes a door that nobody governs. */
  readonly sidecar: boolean
  /** `gateway.require_key`: who must bring a key of ours there. */
  readonly requireKey: 'never' | 'beyond_loopback' | 'always'
  readonly exemptDevices: Prefixes
  readonly exemptMacs: ReadonlySet<string>
  readonly limits: PipelineLimits
  readonly timeouts: PipelineTimeouts
  /** `proxy.max_request_size`; its default holds on the direct way only. */
  readonly maxRequestBytes: {
    readonly direct: number
    readonly intercepted: number | undefined
  }
  /** `gateway.pools.body_bytes`: of a body at a pool, what is read whole before it goes up. */
  readonly wholeBytes: number
  readonly previewBytes: number
  /** Of a prompt, in the record. */
  readonly promptPreviewChars: number
  readonly bodies: KeptBodies
  readonly json: JsonLimits
  /** Of content codings that are undone to read what is inside. */
  readonly coding: CodingLimits
  /** Record the names of tunnelled connections that are no endpoints. */
  readonly recordTunnelNames: boolean
}

/** What is kept of the texts of an exchange. */
export interface KeptBodies {
  readonly request: boolean
  readonly response: boolean
  /** Of each. */
  readonly maxBytes: number
}

/** Bytes and counts. */
export interface PipelineLimits {
  readonly clientHelloBytes: number
  readonly headerBytes: number
  readonly headerCount: number
  readonly headerNameBytes: number
  readonly headerValueBytes: number
  readonly exchanges: number
  readonly exchangesPerEndpoint: number
  readonly connectionsPerEndpoint: number
  readonly h2Streams: number
  readonly h2StreamWindowBytes: number
  readonly h2ConnectionWindowBytes: number
  readonly h2SessionBytes: number
  readonly h2ResetsPerSecond: number
  readonly h2ControlsPerSecond: number
}

/** Milliseconds. */
export interface PipelineTimeouts {
  readonly firstBytesMs: number
  readonly clientHelloMs: number
  readonly clientTlsMs: number
  readonly requestHeadMs: number
  readonly requestBodyMs: number
  readonly keepAliveMs: number
  readonly clientReadMs: number
  readonly h2IdleMs: number
  readonly tunnelIdleMs: number
  readonly websocketIdleMs: number
}
