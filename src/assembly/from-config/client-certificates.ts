/** Certificates of our own for providers' servers, read once a configuration. */
import { pairOf, readClientCertificate } from '../../../config/client-certificates.js'
import type {
  ClientCertificate,
  NamesCertificate,
} from '../../../config/client-certificates.js'
import type { Config } from '../../../config/schema.js'
import { YoriError } from '../../core/errors.js'

export class ClientCertificates {
  readonly #byFiles = new Map<string, ClientCertificate>()

  /** @throws YORI_CONFIG_INVALID: one is not as it was when the configuration was judged */
  static of({ gateway }: Config): ClientCertificates {
    const all = new ClientCertificates()
    for (const provider of Object.values(gateway.providers))
      for (const named of [provider, ...provider.pool]) all.#read(named)
    return all
  }

  /** Each once. */
  get all(): ClientCertificate[] {
    const byId = new Map([...this.#byFiles.values()].map((one) => [one.id, one]))
    return [...byId.values()]
  }

  idOf(named: NamesCertificate): string | undefined {
    const pair = pairOf(named)
    return pair && this.#byFiles.get(pair.join('\0'))?.id
  }

  #read(named: NamesCertificate): void {
    const pair = pairOf(named)
    if (pair === undefined || this.#byFiles.has(pair.join('\0'))) return
    const read = readClientCertificate(...pair)
    if (read.kind === 'fault') throw new YoriError('YORI_CONFIG_INVALID', read.wrong)
    this.#byFiles.set(pair.join('\0'), read.certificate)
  }
}
