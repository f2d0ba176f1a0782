/** What connections teach about a device, a program and a name. */
import type { Device } from '../core/record.js'
import type { Learned } from '../policy/route.js'

/** Who meets our certificates: one program on one device, asking for one name. */
export interface Party {
  readonly device: Device
  readonly name: string
  /** Of its ClientHello. */
  readonly fingerprint: string
}

/**
 * How a client turned us away. An alert says why; a close has to be repeated; `clock` is an
 * alert by which our certificate is not valid at the client's time.
 */
export type Refusal = 'alert' | 'close' | 'clock'

/** What earlier connections taught about a device and a name. */
export interface Memory {
  learned(party: Party): Learned | undefined
  /** The client would not have our certificate. True when that counts as a refusal. */
  refused(party: Party, how: Refusal): boolean
  /** It sent a request under it: nothing of its device is untrusting any more. */
  accepted(party: Party): void
  /** Has this very program used our certificate for this name, under the root in force? */
  hasAccepted(party: Party): boolean
  wantsClientCertificate(device: Device, name: string): void
  /** The device has got our root: whoever did not trust it is tried again at once. */
  gotRoot(device: Device): void
  /** Whatever was learned of the device, it is tried again at once. */
  forget(device: Device): void
}
