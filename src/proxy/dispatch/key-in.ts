/** Does a request bring a key of ours, where its library sends the vendor's, and whose is it? */
import { KEY_PREFIX } from '../../policy/access-keys.js'
import type { KeyRefusal } from '../../policy/access-keys.js'
import type { KeyHolder } from '../../policy/access-gate.js'
import { credentialsIn } from '../../providers/credentials.js'
import type { Arrived } from './arrived.js'

/** The first of ours decides; undefined: it brings none. Without keys nobody looks. */
export function keyIn({
  head,
  http,
  services,
}: Pick<Arrived, 'head' | 'http' | 'services'>): KeyHolder | KeyRefusal | undefined {
  const { keys } = services
  const { fields } = head
  for (const given of credentialsIn({ fields, path: http.request.url ?? '/' }))
    if (given.startsWith(KEY_PREFIX)) return keys.find(given)
  return undefined
}
