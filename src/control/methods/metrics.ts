/** `/metrics`, as Prometheus reads it. */
import { prometheusText, PROMETHEUS_TYPE } from '../../metrics/prometheus.js'
import type { Handler } from '../method.js'

export const metrics: Handler = ({ on: { port } }) => ({
  kind: 'text',
  status: 200,
  type: PROMETHEUS_TYPE,
  body: prometheusText(port.telemetry.families()),
})
