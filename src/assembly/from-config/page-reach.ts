/** Where devices find our page: at the listener, or at the port that the packet filter leads there. */
import type { Config } from '../../../config/schema.js'
import { readOptional } from '../../../pf/apply.js'
import { steeringFiles } from '../../../pf/steering-files.js'
import type { SocketAddress } from '../../core/address.js'
import type { OwnAddresses } from '../../net/own-addresses.js'

/** `ports`: those of the listeners. */
export function pagePortsOf(
  { access }: Pick<Config, 'access'>,
  ports: () => readonly number[],
): () => readonly number[] {
  const { trust_page_port: led } = access
  return led === undefined ? ports : () => [...ports(), led]
}

/**
 * `reach`: the listeners, as others reach them. While steering is asked for, addresses of the
 * steered networks come first, at `access.trust_page_port` where that is set.
 */
export function pageReachOf(
  { access, steer, state_dir }: Pick<Config, 'access' | 'steer' | 'state_dir'>,
  reach: () => readonly SocketAddress[],
  own: Pick<OwnAddresses, 'onInterface'>,
): () => readonly SocketAddress[] {
  const { trust_page_port: port } = access
  if (port === undefined) return reach
  const { desired } = steeringFiles(state_dir)
  const names = [...steer.interfaces, ...steer.guests]
  const isSteered = ({ address }: SocketAddress): boolean =>
    names.some((name) => own.onInterface(name)?.has(address) === true)
  return () => {
    const all = reach()
    if (readOptional(desired)?.trim() !== 'on') return all
    const led = all.filter(isSteered).map(({ address }) => ({ address, port }))
    return [...led, ...all.filter((one) => !isSteered(one))]
  }
}
