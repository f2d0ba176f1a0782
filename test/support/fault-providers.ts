/**
 * Providers that go as far as a point of a connection's life and break there, once; the table
 * holds the points in their order. Each gives the TCP socket when it is there.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { HALF_BODY, HALF_HEAD, WHOLE } from './fault-origin.js'
import { readUntil } from './streams.js'
import type { Issued } from './test-ca.js'
import { Wire } from './wire.js'
import type { CutRule } from './wire.js'

export interface FaultProvider {
  readonly raw: Socket
  readonly certificate: Issued
  /** The client has what was sent: a reset would take back what is still under way. */
  readonly arrived: Promise<void>
}

type Reach = (provider: FaultProvider) => Promise<void>

/** The client's request is a POST that ends in 1234567890; where it says so, in 12345. */
export const PROVIDER_POINTS: Readonly<Record<string, Reach>> = {
  'before the hello': async () => undefined,
  'after the hello': async ({ raw }) => void (await once(raw, 'data')),
  'inside its own hello': (provider) => cutAt(provider, 10),
  'inside the handshake': (provider) => cutAt(provider, 300),
  'after the handshake': async (provider) => void (await secured(provider)),
  // The head is longer than a TLS record may be.
  'inside the request head': (provider) => after(provider, 'POST'),
  'after the head': (provider) => after(provider, '\r\n\r\n'),
  'inside the body': (provider) => after(provider, '12345'),
  'after the request': (provider) => after(provider, '67890'),
  'inside the response head': (provider) => after(provider, '67890', HALF_HEAD),
  'inside the response body': async (provider) => {
    await after(provider, '67890', HALF_BODY)
    await provider.arrived
  },
  'between exchanges': async (provider) => {
    await after(provider, '67890', WHOLE)
    await provider.arrived
  },
  'in a tunnel': async (provider) => {
    await after(provider, '67890', HALF_BODY)
    await provider.arrived
  },
}

/** Answers every request, in the same way as before the fault. */
export async function serveWhole(
  provider: Omit<FaultProvider, 'arrived'>,
): Promise<void> {
  const tls = await secured(provider)
  for (;;) {
    await readUntil(tls, (soFar) => soFar.includes('\r\n\r\n'))
    tls.write(WHOLE)
  }
}

type Wired = Omit<FaultProvider, 'arrived'>

async function cutAt({ raw, certificate }: Wired, bytes: number): Promise<void> {
  const wire = new Wire(raw)
  const rule: CutRule = (_write, chunk, before) =>
    before + chunk.length >= bytes ? bytes - before : undefined
  const isCut = wire.cutWhen(rule)
  startTls(wire, certificate)
  await isCut
}

async function secured({ raw, certificate }: Wired): Promise<TLSSocket> {
  const tls = startTls(new Wire(raw), certificate)
  await once(tls, 'secure')
  return tls
}

function startTls(wire: Wire, { certificatePem: cert, keyPem: key }: Issued): TLSSocket {
  const secureContext = createSecureContext({ cert, key })
  const tls = new TLSSocket(wire, { isServer: true, secureContext })
  return tls.on('error', () => undefined)
}

async function after(provider: Wired, read: string, write?: string): Promise<void> {
  const tls = await secured(provider)
  await readUntil(tls, (soFar) => soFar.includes(read))
  if (write !== undefined) await new Promise((sent) => tls.write(write, sent))
}
