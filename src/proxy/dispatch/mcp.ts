/**
 * A request at a door of the Model Context Protocol: to whom it goes, and why not. What its
 * path says goes on as it stands; from there it is an exchange like any other. That its caller
 * may ask us at all has been seen to.
 */
import { shareOf } from '../../core/device-id.js'
import type { ErrorCode } from '../../core/errors.js'
import type { DoorTarget } from '../../policy/door.js'
import { doorEndpoint, pathProblem } from '../../policy/doors.js'
import { MCP_DOOR_POLICY } from '../../policy/mcp-tools.js'
import { mcpAsked } from '../../policy/mcp-doors.js'
import type { McpAsked, McpServer } from '../../policy/mcp-doors.js'
import type { Asked } from '../../policy/access.js'
import { withoutCredential } from '../../providers/credentials.js'
import { foundInTool } from '../mcp/found-in-tool.js'
import { GatewayWay } from '../mcp/gateway-way.js'
import type { PinnedTools, Use } from '../mcp/server-way.js'
import { ServerWay, serverPath } from '../mcp/server-way.js'
import type { DoorWay } from '../words/door-way.js'
import { declineAs, exchange, facts, ownOrigin } from './arrived.js'
import type { Arrived } from './arrived.js'
import { markOf } from '../judging/content-marks.js'
import type { DispatchPort } from './port.js'
import { dialled } from './outgoing.js'

/** Of a body that comes by such a door. */
const MAX_BODY_BYTES = 100 * 1024 * 1024

/** The door at which a request is that asks in our own name; undefined: it is at none. */
export function mcpDoorOf({ services }: Arrived, asked: Asked): McpAsked | undefined {
  const { mcp } = services.policy
  if (asked.kind === 'own') return mcpAsked(asked.target, mcp)
  if (asked.kind === 'endpoint' && asked.isByPath === true)
    return mcpAsked(asked.path, mcp)
  return undefined
}

export function serveMcp(arrived: Arrived, asked: McpAsked): void {
  if (asked.kind === 'unknown-server') {
    refused(arrived, 'YORI_MCP_SERVER_UNKNOWN')
    return
  }
  const { rest } = asked
  const problem =
    arrived.upgrade === undefined
      ? pathProblem(rest.startsWith('/') ? rest : `/${rest}`)
      : 'no WebSocket is asked for there'
  if (problem !== undefined) {
    refused(arrived, 'YORI_NOT_FORWARDED', problem)
    return
  }
  if (asked.kind === 'server') {
    serveServer(arrived, asked.server, rest)
    return
  }
  const { gateway } = asked
  const way = new GatewayWay(gateway, ownOrigin(arrived))
  leadOn(arrived, { target: gateway.target, name: 'mcp', rest, way })
}

function serveServer(arrived: Arrived, server: McpServer, rest: string): void {
  const { http, head, from, services } = arrived
  const { decider, policy } = services
  const { markKey } = decider
  const at = serverPath(server, rest, markKey)
  if (at === undefined) {
    refused(
      arrived,
      'YORI_NOT_FORWARDED',
      'no stream of the server has told that endpoint',
    )
    return
  }
  const { host } = server.target
  const way = new ServerWay({
    server,
    method: http.request.method ?? 'GET',
    fields: head.fields,
    isMessage: at.isMessage,
    pins: server.pins ? pinsOf(services.toolPins, server.name) : undefined,
    device: shareOf(from.state.record.device),
    find: (texts) => foundInTool(texts, decider.detector),
    json: policy.json,
    coding: policy.coding,
    approvals: {
      key: markKey,
      mark: markOf(markKey),
      granted: () => {
        const granted = new Map<string, Use>()
        const { device } = from.state.record
        const grants = decider.approved(MCP_DOOR_POLICY, device, host)
        for (const { id, once, found = [] } of grants)
          for (const mark of found)
            granted.set(mark, () => {
              if (once) decider.spend(id)
              return once
            })
        return granted
      },
    },
  })
  leadOn(arrived, {
    target: server.target,
    name: `mcp-${server.name}`,
    rest: at.path,
    way,
  })
}

function pinsOf(pins: DispatchPort['toolPins'], name: string): PinnedTools {
  return {
    saw: (tools) => void pins.saw(name, tools),
    changed: (tool) => pins.changed(name, tool),
    accept: (tool) => pins.accept(name, tool),
  }
}

interface Led {
  readonly target: DoorTarget
  readonly name: string
  readonly rest: string
  readonly way: DoorWay
}

function leadOn(arrived: Arrived, { target, name, rest, way }: Led): void {
  const { services, from, head, holder } = arrived
  const { host } = target
  const endpoint = doorEndpoint(host, services.policy.routes.endpoints.find(host))
  if (endpoint.route === 'refuse') {
    refused(arrived, 'YORI_ENDPOINT_REFUSED')
    return
  }
  const { log } = from.state
  log.inspected()
  log.named(host)
  log.ofClass(endpoint.domain)
  const whole = { fields: head.fields, path: target.prefix + rest }
  // A key of ours is nobody else's to see.
  const { fields, path } = holder === undefined ? whole : withoutCredential(whole)
  exchange(
    arrived,
    facts(
      { ...arrived, head: { ...head, fields: [...fields] } },
      {
        target: dialled(target),
        path,
        endpoint,
        door: {
          provider: name,
          speaks: 'mcp',
          maxBodyBytes: MAX_BODY_BYTES,
          headTimeoutMs: undefined,
          way,
        },
      },
    ),
  )
}

function refused(arrived: Arrived, code: ErrorCode, detail?: string): void {
  arrived.from.state.log.requestRefused(code)
  declineAs(arrived, 'mcp', code, detail)
}
