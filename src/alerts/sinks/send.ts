/** Every type of sink, and how a message gets there. One more is one more form and line here. */
import type { Delivery, Sent, SinkSettings } from '../words.js'
import { postingFor } from './http-sinks.js'
import { post, saidBy } from './post.js'

/** Never rejects. */
export async function send(sink: SinkSettings, delivery: Delivery): Promise<Sent> {
  try {
    switch (sink.type) {
      case 'email':
        return await (await import('./email.js')).sendEmail(sink, delivery)
      case 'syslog':
        return await (await import('./syslog.js')).sendSyslog(sink, delivery)
      default:
        return await post(postingFor(sink, delivery), sink)
    }
  } catch (cause) {
    return { kind: 'refused', reason: saidBy(cause) }
  }
}
