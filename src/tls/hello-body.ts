/**
 * The fields of one ClientHello message, without its four-byte handshake header. Knows
 * RFC 8446 §4.1.2 and the extensions that routing and fingerprints read; how the message came
 * over records is `client-hello.ts`. Strict where a fault could hide the server name, lenient
 * about values that only a TLS peer has to judge. Pure; keeps nothing of its input.
 */
import { isIP } from 'node:net'
import { canonicalHostname } from '../core/hostname.js'
import { Fields, MAX_LIST_ITEMS } from './fields.js'

export interface ClientHello {
  /** Canonical (`canonicalHostname`); undefined when absent, an address, or no host name. */
  readonly serverName: string | undefined
  /** The host_name as sent, one character a byte, up to 255; for comparison, not for display. */
  readonly rawServerName: string | undefined
  /** The client named an IP address, which RFC 6066 §3 forbids. */
  readonly serverNameIsAddress: boolean
  /** RFC 7301 §3.1, in the client's order, one character a byte. */
  readonly alpn: readonly string[]
  readonly legacyVersion: number
  /** Empty when the extension is absent; GREASE (RFC 8701) included, here and below. */
  readonly supportedVersions: readonly number[]
  readonly cipherSuites: readonly number[]
  /** In the client's order. */
  readonly extensionTypes: readonly number[]
  readonly supportedGroups: readonly number[]
  readonly keyShareGroups: readonly number[]
  readonly pointFormats: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  /** encrypted_client_hello is offered: `serverName` is the outer name (RFC 9849). */
  readonly ech: boolean
  /** The draft before ECH: there may be no readable name at all. */
  readonly esni: boolean
  readonly hasPreSharedKey: boolean
  readonly earlyData: boolean
}

export type BodyFault =
  'field-overruns' | 'trailing-bytes' | 'duplicate-extension' | 'duplicate-server-name'

export type Body =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'fault'; readonly offset: number; readonly reason: BodyFault }

/** host_name is at most 255 bytes on the wire of DNS (RFC 1035 §2.3.4). */
const MAX_SERVER_NAME_BYTES = 255

const extension = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  keyShare: 51,
  keyShareDraft: 40,
  ech: 0xfe0d,
  esni: 0xffce,
} as const

interface ServerName {
  readonly raw: string | undefined
}

/** What the extensions said; the arrays of lists that were absent are empty. */
interface Extensions {
  types: number[]
  serverName: ServerName | undefined
  alpn: string[]
  supportedVersions: number[]
  supportedGroups: number[]
  keyShareGroups: number[]
  pointFormats: number[]
  signatureAlgorithms: number[]
}

type Fault = Extract<Body, { kind: 'fault' }>

const fault = (offset: number, reason: BodyFault): Fault => ({
  kind: 'fault',
  offset,
  reason,
})

/** `bytes` holds exactly the message after its header; offsets of faults are into `bytes`. */
export function parseHelloBody(bytes: Uint8Array): Body {
  const fields = new Fields(bytes, 0, bytes.length)
  const legacyVersion = fields.u16()
  fields.sub(32) // random
  fields.sub(fields.u8()) // legacy_session_id
  const cipherSuites = fields.sub(fields.u16()).numbers(2)
  fields.sub(fields.u8()) // legacy_compression_methods
  if (fields.overran) return fault(fields.offset, 'field-overruns')
  const read = readExtensions(fields)
  if ('kind' in read) return read
  const has = (type: number): boolean => read.types.includes(type)
  const raw = read.serverName?.raw
  return {
    kind: 'hello',
    hello: {
      serverName: raw === undefined ? undefined : canonicalHostname(raw),
      rawServerName: raw,
      serverNameIsAddress: raw !== undefined && isAddress(raw),
      alpn: read.alpn,
      legacyVersion,
      supportedVersions: read.supportedVersions,
      cipherSuites,
      extensionTypes: read.types,
      supportedGroups: read.supportedGroups,
      keyShareGroups: read.keyShareGroups,
      pointFormats: read.pointFormats,
      signatureAlgorithms: read.signatureAlgorithms,
      ech: has(extension.ech),
      esni: has(extension.esni),
      hasPreSharedKey: has(extension.preSharedKey),
      earlyData: has(extension.earlyData),
    },
  }
}

function isAddress(name: string): boolean {
  return isIP(name.replace(/^\[|\]$|\.$/g, '')) !== 0
}

/** Hellos of TLS 1.0 and before may end without an extensions block. */
function readExtensions(fields: Fields): Extensions | Fault {
  const read: Extensions = {
    types: [],
    serverName: undefined,
    alpn: [],
    supportedVersions: [],
    supportedGroups: [],
    keyShareGroups: [],
    pointFormats: [],
    signatureAlgorithms: [],
  }
  if (fields.left === 0) return read
  const block = fields.sub(fields.u16())
  if (fields.overran) return fault(fields.offset, 'field-overruns')
  if (fields.left > 0) return fault(fields.offset, 'trailing-bytes')
  const decisive = new Set<number>()
  while (block.left > 0) {
    const start = block.offset
    const type = block.u16()
    const content = block.sub(block.u16())
    if (block.overran) return fault(block.offset, 'field-overruns')
    if (isDecisive(type)) {
      // RFC 8446 §4.2: at most one of each type. Two names would be two routes.
      if (decisive.has(type)) return fault(start, 'duplicate-extension')
      decisive.add(type)
    }
    if (read.types.length < MAX_LIST_ITEMS || isDecisive(type)) read.types.push(type)
    const wrong = readExtension(type, content, read)
    if (wrong !== undefined) return wrong
  }
  return read
}

function isDecisive(type: number): boolean {
  return (
    type === extension.serverName ||
    type === extension.alpn ||
    type === extension.supportedVersions ||
    type === extension.ech
  )
}

function readExtension(
  type: number,
  content: Fields,
  read: Extensions,
): Fault | undefined {
  switch (type) {
    case extension.serverName:
      return readServerName(content, read)
    case extension.alpn:
      return readAlpn(content, read)
    case extension.supportedVersions: {
      const versions = content.sub(content.u8())
      if (content.overran) return fault(content.offset, 'field-overruns')
      read.supportedVersions = versions.numbers(2)
      return undefined
    }
    case extension.supportedGroups:
      read.supportedGroups = content.sub(content.u16()).numbers(2)
      return undefined
    case extension.pointFormats:
      read.pointFormats = content.sub(content.u8()).numbers(1)
      return undefined
    case extension.signatureAlgorithms:
      read.signatureAlgorithms = content.sub(content.u16()).numbers(2)
      return undefined
    case extension.keyShare:
    case extension.keyShareDraft:
      read.keyShareGroups = readKeyShares(content)
      return undefined
    default:
      return undefined
  }
}

/** RFC 6066 §3. An empty extension is what a server sends; from a client it names nothing. */
function readServerName(content: Fields, read: Extensions): Fault | undefined {
  if (content.left === 0) return undefined
  const list = content.sub(content.u16())
  if (content.overran) return fault(content.offset, 'field-overruns')
  if (content.left > 0) return fault(content.offset, 'trailing-bytes')
  while (list.left > 0) {
    const start = list.offset
    const type = list.u8()
    const name = list.sub(list.u16())
    if (list.overran) return fault(list.offset, 'field-overruns')
    if (type !== 0) continue
    if (read.serverName !== undefined) return fault(start, 'duplicate-server-name')
    const usable = name.left > 0 && name.left <= MAX_SERVER_NAME_BYTES
    read.serverName = { raw: usable ? name.text() : undefined }
  }
  return undefined
}

function readAlpn(content: Fields, read: Extensions): Fault | undefined {
  const list = content.sub(content.u16())
  if (content.overran) return fault(content.offset, 'field-overruns')
  while (list.left > 0) {
    const name = list.sub(list.u8())
    if (list.overran) return fault(list.offset, 'field-overruns')
    if (read.alpn.length < MAX_LIST_ITEMS) read.alpn.push(name.text())
  }
  return undefined
}

function readKeyShares(content: Fields): number[] {
  const list = content.sub(content.u16())
  const groups: number[] = []
  while (list.left > 0 && groups.length < MAX_LIST_ITEMS) {
    const group = list.u16()
    list.sub(list.u16())
    if (!list.overran) groups.push(group)
  }
  return groups
}
