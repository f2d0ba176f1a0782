/** `/metrics`, as Prometheus reads it. */
import { prometheusText, PROMETHEUS_TYPE } from '../../metrics/prometheus.js'
import type { PlainHandler } from '../method.js'

export const metrics: PlainHandler = ({ on: { port } }) => ({
  kind: 'text',
  status: 200,
  type: PROMETHEUS_TYPE,
  body: prometheusText(port.telemetry.families()),
})
