/** The one that speaks to a sink. Runs in the child. */
import type { SinkTask } from '../ship/words.js'
import { FileCarrier } from './file.js'
import { HttpCarrier } from './http.js'
import { RecordSink } from './record-sink.js'
import { SyslogCarrier } from './syslog.js'
import type { Carrier, SinkSettings } from './words.js'

export function sinkOf({ sink, database, placeFile, version }: SinkTask): RecordSink {
  return new RecordSink({
    ...{ sink, database, placeFile, version },
    carrier: carrierOf(sink),
  })
}

function carrierOf(sink: SinkSettings): Carrier {
  const { type, path = '' } = sink
  if (type === 'file') return new FileCarrier(path)
  if (type === 'syslog') return new SyslogCarrier(sink)
  return new HttpCarrier({ ...sink, type })
}
