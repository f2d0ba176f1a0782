/** Whose provider an exchange is with, before anything of it was read. */
import type { Catalogue } from '../../providers/catalogue.js'
import type { ExchangeAbout } from './exchange-about.js'

/** The catalogue's name for the host counts before that of the door, and of the API it speaks. */
export function providerOf({
  facts,
  recognised,
  services,
}: Pick<
  ExchangeAbout<{ readonly catalogue: Pick<Catalogue, 'entryFor'> }>,
  'facts' | 'recognised' | 'services'
>): string | undefined {
  return (
    services.catalogue.entryFor(facts.target.host)?.name ??
    facts.door?.provider ??
    recognised?.provider.name
  )
}
