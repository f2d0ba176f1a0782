/**
 * The device that the supervisor makes to ask as clients do: in a network namespace of its own,
 * behind an interface that is steered like those of the local network. Nobody else can have its
 * addresses: they are of ranges for documentation (RFC 5737, RFC 3849), led nowhere.
 */
export const PROBE_INTERFACE = 'yori-probe'
/** That of `yori doctor --probe`, for as long as it runs. */
export const DOCTOR_INTERFACE = 'yori-doctor'

/** `dialled`: is led to YORI from there alone, and no machine has it. */
export const PROBE = {
  inet: {
    router: '192.0.2.9',
    device: '192.0.2.10',
    dialled: '192.0.2.11',
    length: 29,
  },
  inet6: {
    router: '2001:db8:796f::9',
    device: '2001:db8:796f::a',
    dialled: '2001:db8:796f::b',
    length: 125,
  },
} as const

/**
 * What `yori doctor` calls itself where it asks a listener with the root in its hand: that says
 * nothing of whom this machine trusts. Who else says so hides from that list, and gains nothing.
 */
export const OWN_CHECK_AGENT = 'yori-doctor'

/** By its canonical address. */
export function isProbe(address: string): boolean {
  return address === PROBE.inet.device || address === PROBE.inet6.device
}
