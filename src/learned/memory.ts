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

/** What earlier connections taught about a device and a name. */
export interface Memory {
  learned(party: Party): Learned | undefined
  /** The client would not have our certificate. True when that counts as a refusal. */
  refused(party: Party, how: 'alert' | 'close'): boolean
  /** It sent a request under it. */
  accepted(party: Party): void
  wantsClientCertificate(device: Device, name: string): void
  /** Who turned our certificate away for this name is tried again at once. */
  forget(device: Device, name: string): void
}
