/** All processors of one configuration, in the order in which their words count. */
import type { Processor, RoutedExchange } from './processor.js'
import type { ProcessorEvent } from './words.js'

export class Processors {
  /** By order, then by name. */
  readonly all: readonly Processor[]

  constructor(processors: readonly Processor[]) {
    this.all = processors.toSorted(
      (a, b) => a.options.order - b.options.order || (a.name < b.name ? -1 : 1),
    )
  }

  /** Those that hear of any of these moments of such an exchange. */
  at(exchange: RoutedExchange, events: readonly ProcessorEvent[]): readonly Processor[] {
    if (this.all.length === 0) return NOBODY
    return this.all.filter(
      (processor) =>
        events.some((event) => processor.hears(event)) && processor.isFor(exchange),
    )
  }

  /** Is there anybody who hears of such a moment, of whatever exchange? */
  hears(event: ProcessorEvent): boolean {
    return this.all.some((processor) => processor.hears(event))
  }

  /** Ends their connections. */
  close(): void {
    for (const processor of this.all) processor.close()
  }
}

const NOBODY: readonly Processor[] = []
